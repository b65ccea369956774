#!/usr/bin/env bash
# Caddy, a proxy in front of the API.
set -euo pipefail
source "$(dirname "$0")/install.sh"
packages caddy caddy caddy
