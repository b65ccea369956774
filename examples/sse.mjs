// Prints live values of a device, over Server-Sent Events with nothing but fetch.
// When the connection is cut it connects again.
//   node examples/sse.mjs ENDPOINT [PATH ...]
import { setTimeout as wait } from 'node:timers/promises';

const { TREELINE_URL = 'http://127.0.0.1:4000/graphql', TREELINE_TOKEN } = process.env;
const [endpoint, ...paths] = process.argv.slice(2);

const DEVICE = 'query ($endpoint: String!) { device(endpoint: $endpoint) { id } }';
const CHANGES = `subscription ($id: ID!, $paths: [ResourcePath!]) {
  resourceChanged(deviceId: $id, paths: $paths) { initial resources { path value } }
}`;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** An error that another attempt does not cure: a wrong token, an unknown device. */
class Refused extends Error {}

async function post(query, variables, accept) {
  const response = await fetch(TREELINE_URL, {
    method: 'POST',
    headers: { authorization: `Bearer ${TREELINE_TOKEN}`, 'content-type': 'application/json', accept },
    body: JSON.stringify({ query, variables }),
  });
  if (response.ok) return response;
  const message = `HTTP ${response.status}: ${await response.text()}`;
  throw response.status < 500 ? new Refused(message) : new Error(message);
}

/** The `data` of one result. An error does not go away with another attempt: the key was revoked, or the input is wrong. */
function dataOf({ data, errors }) {
  if (!errors) return data;
  const [{ message }] = errors;
  throw new Refused(message);
}

/** The events of an event stream, as https://html.spec.whatwg.org/multipage/server-sent-events.html defines it. */
async function* eventsOf(response) {
  let event = { type: 'message', data: [] };
  for await (const line of linesOf(response.body.pipeThrough(new TextDecoderStream()))) {
    if (line === '') {
      if (event.data.length > 0) yield { type: event.type, data: event.data.join('\n') };
      event = { type: 'message', data: [] };
      continue;
    }
    // `field: value`, `field:value` or `field`. A line that begins with a colon is a comment.
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (field === 'event') event.type = value;
    if (field === 'data') event.data.push(value);
  }
}

/** Lines that end with CRLF, LF or CR, wherever the chunks are cut. */
async function* linesOf(chunks) {
  let unfinished = '';
  let afterCr = false;
  for await (const chunk of chunks) {
    // A CR ends its line at once; when the next chunk begins with LF, the two are one CRLF.
    const lines = (unfinished + (afterCr ? chunk.replace(/^\n/, '') : chunk)).split(/\r\n|\n|\r/);
    afterCr = chunk.endsWith('\r');
    unfinished = lines.pop();
    yield* lines;
  }
}

/** Subscribes and prints until the connection ends. Calls `onEvent` after each event. */
async function watch(onEvent) {
  const { device } = dataOf(await (await post(DEVICE, { endpoint }, 'application/json')).json());
  if (!device) throw new Refused(`There is no device ${endpoint}.`);
  const variables = { id: device.id, paths: paths.length > 0 ? paths : ['/3303/0/5700'] };
  for await (const { type, data } of eventsOf(await post(CHANGES, variables, 'text/event-stream'))) {
    if (type !== 'next') continue;
    const { initial, resources } = dataOf(JSON.parse(data)).resourceChanged;
    const values = resources.map(({ path, value }) => `${path}=${value}`);
    // An event can also have new states of the watched paths alone (`paths`), which are not selected here.
    if (values.length > 0) console.log(initial ? 'stored' : 'new', values.join(' '));
    onEvent();
  }
}

for (let failures = 0; ; failures++) {
  try {
    await watch(() => (failures = 0));
    console.error('The connection ended.');
  } catch (error) {
    if (error instanceof Refused) {
      console.error(error.message);
      process.exit(1);
    }
    console.error(`The connection failed: ${error.cause?.message ?? error.message}`);
  }
  // Up to twice as long after each failure. The random part keeps many clients from coming back at the same moment.
  const longest = Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS);
  const ms = Math.round(longest * (0.5 + Math.random() / 2));
  console.error(`Connecting again in ${ms} ms.`);
  await wait(ms);
}
