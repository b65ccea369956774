#!/usr/bin/env bash
# A real browser for the page that the product serves, GraphiQL.
set -euo pipefail
source "$(dirname "$0")/install.sh"

packages chromium chromium chromium
