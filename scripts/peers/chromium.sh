#!/usr/bin/env bash
# Chromium, a real browser for the tests of GraphiQL.
set -euo pipefail
source "$(dirname "$0")/install.sh"

packages chromium chromium chromium
