#!/usr/bin/env bash
# The compiler of Relay, which checks documents against the SDL. It is no dependency of the project, because its
# package has the programs of five platforms (120 MB).
set -euo pipefail
source "$(dirname "$0")/install.sh"

readonly VERSION=21.0.1
readonly INTO="$PEERS/relay"
grep -qs "\"version\": \"$VERSION\"" "$INTO/node_modules/relay-compiler/package.json" ||
  npm install --no-save --no-audit --no-fund --silent --prefix "$INTO" "relay-compiler@$VERSION" ||
  missing relay "npm could not install relay-compiler $VERSION"
