#!/usr/bin/env bash
# Apache Kafka, the broker for the publisher's tests.
set -euo pipefail
source "$(dirname "$0")/install.sh"

packages kafka java openjdk-17-jdk-headless
libraries kafka
