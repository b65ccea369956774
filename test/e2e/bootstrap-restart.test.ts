import { createSocket, type Socket } from 'node:dgram';
import { on } from 'node:events';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { decode, encode } from '../../src/coap/message.ts';
import { optionNumbers, stringOption } from '../../src/coap/option.ts';
import { runDevice } from './device-process.ts';
import { freshInstallation, runTreeline, until, type Installation, type TreelineProcess } from './treeline-process.ts';

const ENDPOINT = 'urn:imei:490154203237610';
/** RFC 7252 §12.1.1. */
const [POST, DELETE] = [2, 4];

interface BootstrapChange {
  readonly bootstrapChanged: { readonly status: string; readonly reason: string | null };
}

let installation: Installation;
let treeline: TreelineProcess;

beforeAll(async () => {
  installation = await freshInstallation();
  treeline = await runTreeline(installation.settings);
});

afterAll(async () => {
  await treeline?.stop();
  await installation?.drop();
});

const CHANGES = 'subscription { bootstrapChanged { status reason } }';

/** The number of requests that the device answers; the server then waits for the response to the Finish. */
const STEPS = [0, 1, 2, 3, 4, 5];

it('starts with a device that has no credential', async () => {
  await treeline.query(`mutation { provisionDevice(input: { endpoint: "${ENDPOINT}" }) { __typename } }`);
  expect(await counting()).toEqual([]);
});

it.each(STEPS)('a bootstrap whose server is killed after %i answers has failed', async (answers) => {
  const { device } = await treeline.query<{ device: { id: string } }>(`{ device(endpoint: "${ENDPOINT}") { id } }`);
  await plan(device.id);
  const silent = await askAndFallSilent(answers);

  process.kill(treeline.pid, 'SIGKILL');
  await treeline.ended();
  silent.close();
  treeline = await runTreeline(installation.settings);
  const [last, ...earlier] = await bootstraps();
  expect(last).toEqual({ status: 'FAILED', reason: expect.stringContaining('restart') });
  expect(earlier).toHaveLength(answers);
});

it('after the restart, the device bootstraps immediately', async () => {
  const { device: known } = await treeline.query<{ device: { id: string } }>(
    `{ device(endpoint: "${ENDPOINT}") { id } }`,
  );
  // The server has another port after the restart.
  await plan(known.id);
  const finished = until(
    treeline.webSocket<BootstrapChange>(CHANGES),
    ({ bootstrapChanged: { status } }) => status === 'FINISHED',
  );
  const device = runDevice(treeline.coap, ENDPOINT, '--bootstrap', bootstrapUri());
  await finished;
  await device.heard(/registered/);
  expect((await bootstraps()).map(({ status }) => status)).toEqual(['FINISHED', ...STEPS.map(() => 'FAILED')]);
  // The first use of the newest key ends those of the interrupted bootstraps.
  await vi.waitFor(async () => expect(await counting()).toHaveLength(1));
  await device.stop();
});

/** The identities of the valid credentials for the LwM2M server. */
async function counting(): Promise<readonly string[]> {
  interface Known {
    readonly device: { readonly credentials: readonly { identity: string; revokedAt: string | null }[] };
  }
  const { device } = await treeline.query<Known>(
    `{ device(endpoint: "${ENDPOINT}") { credentials { identity revokedAt } } }`,
  );
  return device.credentials.filter(({ revokedAt }) => revokedAt === null).map(({ identity }) => identity);
}

function bootstrapUri(): string {
  return /Bootstrap\s+(coap:\S+)/.exec(treeline.output())?.[1] ?? '';
}

async function plan(deviceId: string): Promise<void> {
  await treeline.query(
    `mutation ($deviceId: ID!, $uri: String!) {
      setBootstrapPlan(input: { deviceId: $deviceId, plan: { server: { uri: $uri } } }) { __typename }
    }`,
    { deviceId, uri: `coaps://${treeline.coaps.host}:${treeline.coaps.port}` },
  );
}

async function bootstraps(): Promise<readonly { status: string; reason: string | null }[]> {
  const { device } = await treeline.query<{ device: { bootstraps: { nodes: { status: string; reason: string }[] } } }>(
    `{ device(endpoint: "${ENDPOINT}") { bootstraps(first: 10) { nodes { status reason } } } }`,
  );
  return device.bootstraps.nodes;
}

/**
 * Sends the Bootstrap-Request of a device that answers this many requests of the server and then stops answering.
 * Resolves when the server waits for the next response.
 */
async function askAndFallSilent(answers: number): Promise<Socket> {
  const { hostname, port } = new URL(bootstrapUri().replace('coap:', 'http:'));
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(Number(port), hostname, resolve));
  const options = [stringOption(optionNumbers.uriPath, 'bs'), stringOption(optionNumbers.uriQuery, `ep=${ENDPOINT}`)];
  const payload = Buffer.alloc(0);
  socket.send(encode({ type: 'CON', code: POST, messageId: 1, token: Buffer.of(1), options, payload }));
  let answered = 0;
  for await (const [datagram] of on(socket, 'message')) {
    const { ok, message } = { message: null, ...decode(datagram) };
    if (!ok || message === null || message.type !== 'CON') continue;
    const { messageId, token, code } = message;
    const finishes = code === POST;
    if (answered === answers || finishes) {
      expect([answered, finishes]).toEqual([answers, answers === STEPS.at(-1)]);
      break;
    }
    answered++;
    const answer = code === DELETE ? codes.deleted : codes.changed;
    socket.send(encode({ type: 'ACK', code: answer, messageId, token, options: [], payload }));
  }
  return socket;
}
