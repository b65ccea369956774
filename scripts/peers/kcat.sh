#!/usr/bin/env bash
# kcat, a Kafka consumer that is independent of kafkajs.
set -euo pipefail
source "$(dirname "$0")/install.sh"

packages kcat kcat kcat
