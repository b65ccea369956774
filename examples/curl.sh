#!/usr/bin/env bash
# A query, a mutation and a subscription with curl.
#   TREELINE_TOKEN=tl_… bash examples/curl.sh ENDPOINT
# The subscription prints values until Ctrl-C.
set -euo pipefail

if (($# != 1)) || [[ -z ${TREELINE_TOKEN:-} ]]; then
  echo 'usage: TREELINE_TOKEN=tl_… bash examples/curl.sh ENDPOINT' >&2
  exit 2
fi
readonly url=${TREELINE_URL:-http://127.0.0.1:4000/graphql} token=$TREELINE_TOKEN endpoint=$1

# The endpoint goes into JSON as it is.
if [[ $endpoint == *[\"\\]* ]]; then
  echo "This script takes no quotes or backslashes in an endpoint name: $endpoint" >&2
  exit 2
fi

# ask ACCEPT: posts the JSON on standard input and prints the answer.
# The token goes in by a file descriptor: other users of this machine can see a command line.
ask() {
  curl --silent --show-error --fail-with-body --no-buffer "$url" \
    --header @<(printf 'authorization: Bearer %s\n' "$token") \
    --header 'content-type: application/json' \
    --header "accept: $1" \
    --data-binary @-
}

echo '# Query: the device, its status and its last known temperature'
answer=$(
  ask application/json <<JSON
{
  "query": "query (\$endpoint: String!) { device(endpoint: \$endpoint) { id status resource(path: \"/3303/0/5700\") { value timestamp } } }",
  "variables": { "endpoint": "$endpoint" }
}
JSON
) || {
  echo "$answer" >&2
  exit 1
}
echo "$answer"

if [[ ! $answer =~ \"id\":\"([^\"]+)\" ]]; then
  echo "There is no device $endpoint." >&2
  exit 1
fi
readonly id=${BASH_REMATCH[1]}

echo '# Mutation: reads manufacturer (/3/0/0) and battery level (/3/0/9) from the device'
ask application/json <<JSON
{
  "query": "mutation (\$id: ID!) { readResources(input: { deviceId: \$id, paths: [\"/3/0/0\", \"/3/0/9\"] }) { __typename ... on ReadResourcesPayload { rpc { status result error { message } } } ... on UserError { message } } }",
  "variables": { "id": "$id" }
}
JSON
echo

echo '# Subscription: the temperature, as Server-Sent Events'
ask text/event-stream <<JSON
{
  "query": "subscription (\$id: ID!) { resourceChanged(deviceId: \$id, paths: [\"/3303/0/5700\"]) { initial resources { path value timestamp } } }",
  "variables": { "id": "$id" }
}
JSON
