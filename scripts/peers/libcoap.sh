#!/usr/bin/env bash
# libcoap: its coap-client, which sends block-wise requests with a new token per block, and a device on its library
# (libcoap/device.c), which Debian builds with OpenSSL and with GnuTLS.
set -euo pipefail
source "$(dirname "$0")/install.sh"

packages libcoap coap-client-notls libcoap3-bin
packages libcoap gcc gcc libc6-dev
headers libcoap coap3/coap.h libcoap3-dev libc6-dev

readonly SOURCE="$ROOT/scripts/peers/libcoap/device.c"
mkdir -p "$PEERS/libcoap"
for library in openssl gnutls; do
  device="$PEERS/libcoap/device-$library"
  [[ $device -nt $SOURCE ]] ||
    gcc -O1 -Wall -Wextra -o "$device" "$SOURCE" "-lcoap-3-$library" ||
    missing libcoap "its device did not compile"
done
