// Writes one value to a device, and says what went wrong when it fails.
//   node examples/write.mjs ENDPOINT PATH VALUE
import { expectPayload, MutationError, USER_ERRORS } from './expect-payload.mjs';

const { TREELINE_URL = 'http://127.0.0.1:4000/graphql', TREELINE_TOKEN } = process.env;
const [endpoint, path, text] = process.argv.slice(2);

async function graphql(query, variables) {
  const response = await fetch(TREELINE_URL, {
    method: 'POST',
    headers: { authorization: `Bearer ${TREELINE_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  // The request itself is wrong: the token, the query, or the form of a variable.
  if (errors) throw new Error(errors[0].message);
  return data;
}

/** 21.5, true and {"…": …} are JSON; anything else is a text. */
function valueOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const DEVICE = 'query ($endpoint: String!) { device(endpoint: $endpoint) { id } }';
const WRITE = `mutation ($input: WriteResourcesInput!) {
  writeResources(input: $input) {
    ${USER_ERRORS}
    ... on WriteResourcesPayload { rpc { status error { code coapCode message } } }
  }
}`;

try {
  const { device } = await graphql(DEVICE, { endpoint });
  if (!device) throw new Error(`There is no device ${endpoint}.`);
  const input = { deviceId: device.id, values: [{ path, value: valueOf(text) }] };
  const { rpc } = expectPayload((await graphql(WRITE, { input })).writeResources);
  // The request went out: the status says whether the device accepted it.
  if (rpc.error) throw new Error(`${rpc.status} ${rpc.error.code}: ${rpc.error.message}`);
  console.log(`${rpc.status} ${path}=${text}`);
} catch (error) {
  const about = error instanceof MutationError ? `${error.code} ${error.field.join('.')}: ` : '';
  console.error(about + error.message);
  process.exitCode = 1;
}
