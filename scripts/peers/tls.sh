#!/usr/bin/env bash
# openssl and gnutls-cli, independent DTLS clients.
set -euo pipefail
source "$(dirname "$0")/install.sh"

packages openssl openssl openssl
packages gnutls gnutls-cli gnutls-bin
