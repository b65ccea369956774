#!/usr/bin/env bash
# nginx, a proxy in front of the API.
set -euo pipefail
source "$(dirname "$0")/install.sh"
packages nginx nginx nginx
