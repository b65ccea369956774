// Prints live values of a device, over WebSocket with the package graphql-ws.
//   node examples/graphql-ws.mjs ENDPOINT [PATH ...]
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

const { TREELINE_URL = 'http://127.0.0.1:4000/graphql', TREELINE_TOKEN } = process.env;
const [endpoint, ...paths] = process.argv.slice(2);

const client = createClient({
  url: TREELINE_URL.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket, // in a browser, leave this line out
  connectionParams: { token: TREELINE_TOKEN },
  // After a cut connection the client connects and subscribes again by itself, and waits longer after each failure.
  retryAttempts: Infinity,
  shouldRetry: () => true,
  on: { connecting: (again) => again && console.error('The connection failed. Connecting again.') },
});

const DEVICE = 'query ($endpoint: String!) { device(endpoint: $endpoint) { id } }';
const CHANGES = `subscription ($id: ID!, $paths: [ResourcePath!]) {
  resourceChanged(deviceId: $id, paths: $paths) { initial resources { path value } }
}`;

async function* results(query, variables) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    if (errors) throw errors[0];
    yield data;
  }
}

try {
  const { value } = await results(DEVICE, { endpoint }).next();
  if (!value.device) throw new Error(`There is no device ${endpoint}.`);
  const variables = { id: value.device.id, paths: paths.length > 0 ? paths : ['/3303/0/5700'] };
  for await (const { resourceChanged } of results(CHANGES, variables)) {
    const values = resourceChanged.resources.map((resource) => `${resource.path}=${resource.value}`);
    // An event can also have new states of the watched paths alone (`paths`), which are not selected here.
    if (values.length > 0) console.log(resourceChanged.initial ? 'stored' : 'new', values.join(' '));
  }
} catch (error) {
  // A wrong token ends the connection with code 4401; `reason` is the server's text.
  console.error(error.reason ?? error.message);
  process.exitCode = 1;
}
