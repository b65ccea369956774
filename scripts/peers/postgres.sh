#!/usr/bin/env bash
# PostgreSQL, the database. The tests start their own cluster, so Debian must not create one.
set -euo pipefail
source "$(dirname "$0")/install.sh"

# Debian installs the server's programs in a folder per version, which is not in PATH.
if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
  packages postgres initdb postgresql
fi
