#!/usr/bin/env bash
# Runs the tests with independent peers. Installs missing peers first; each test starts and stops its peers. Then runs the
# unit and e2e tests again on a real Postgres instead of PGlite. Writes docs/scoreboard.md.
#   TEST_REPORT_DIR: the folder for vitest's JSON reports (peers.json, postgres.json)
set -euo pipefail
cd "$(dirname "$0")/.."

report() {
  echo "--reporter=default"
  [[ -z ${TEST_REPORT_DIR:-} ]] || echo "--reporter=./scripts/unhandled-errors.ts --reporter=json --outputFile.json=$TEST_REPORT_DIR/$1.json"
}

for script in scripts/peers/*.sh; do
  [[ $script == */install.sh ]] || bash "$script"
done

failed=0
# shellcheck disable=SC2046 # the options must be split into words
npx vitest run --project peers --reporter=default --reporter=./test/interop/ets/scoreboard.ts $(report peers) || failed=1
# shellcheck disable=SC2046
node --import tsx scripts/peers/with-postgres.ts npx vitest run --project unit --project e2e --reporter=default $(report postgres) || failed=1
exit $failed
