#!/usr/bin/env bash
# pgbouncer, the connection pooler of PostgreSQL.
set -euo pipefail
source "$(dirname "$0")/install.sh"
packages pgbouncer pgbouncer pgbouncer
