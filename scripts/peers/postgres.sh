#!/usr/bin/env bash
# PostgreSQL, the database: the tests start a cluster of their own, so the one that Debian would make is not wanted.
set -euo pipefail
source "$(dirname "$0")/install.sh"

# Debian keeps the server's programs out of PATH, by version.
if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
  packages postgres initdb postgresql
fi
