#!/usr/bin/env bash
# Eclipse Leshan's LwM2M client, the device: its library, driven by the small main in leshan/.
set -euo pipefail
source "$(dirname "$0")/install.sh"

packages leshan javac openjdk-17-jdk-headless
libraries leshan

classes="$PEERS/leshan/classes"
if [[ ! -e $classes || -n $(find "$ROOT/scripts/peers/leshan" -name '*.java' -newer "$classes") ]]; then
  rm -rf "$classes"
  javac -d "$classes" -cp "$PEERS/leshan/lib/*" "$ROOT"/scripts/peers/leshan/*.java ||
    { rm -rf "$classes"; missing leshan "its main did not compile"; }
fi
