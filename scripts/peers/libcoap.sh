#!/usr/bin/env bash
# libcoap's coap-client: requests by hand, block-wise with a new token per block.
set -euo pipefail
source "$(dirname "$0")/install.sh"

packages libcoap coap-client-notls libcoap3-bin
