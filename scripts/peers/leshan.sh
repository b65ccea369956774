#!/usr/bin/env bash
# Eclipse Leshan's LwM2M clients, the devices: Leshan 2 speaks LwM2M 1.1, Leshan 1 speaks 1.0, each driven by a small main.
set -euo pipefail
source "$(dirname "$0")/install.sh"

for peer in leshan leshan1; do
  libraries "$peer"
  classes "$peer"
done
