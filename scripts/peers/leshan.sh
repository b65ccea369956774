#!/usr/bin/env bash
# Devices with the LwM2M clients of Eclipse Leshan: Leshan 2 for LwM2M 1.1, Leshan 1 for 1.0.
set -euo pipefail
source "$(dirname "$0")/install.sh"

for peer in leshan leshan1; do
  libraries "$peer"
  classes "$peer"
done
