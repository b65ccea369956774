import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encode } from '../../src/coap/message.ts';
import { optionNumbers, stringOption } from '../../src/coap/option.ts';
import { runDevice } from './device-process.ts';
import { freshInstallation, runTreeline, until, type Installation, type TreelineProcess } from './treeline-process.ts';

const ENDPOINT = 'urn:imei:490154203237610';

interface Told {
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

it('a bootstrap that the server did not live to finish has failed, and the device begins another at once', async () => {
  const { provisionDevice } = await treeline.query<{ provisionDevice: { device: { id: string } } }>(
    `mutation { provisionDevice(input: { endpoint: "${ENDPOINT}", security: { psk: {} } }) {
      ... on ProvisionDevicePayload { device { id } }
    } }`,
  );
  const { id } = provisionDevice.device;
  await plan(id);
  const running = until(treeline.webSocket<Told>(CHANGES), ({ bootstrapChanged: { status } }) => status === 'RUNNING');
  await askAndFallSilent();
  await running;

  process.kill(treeline.pid, 'SIGKILL');
  await treeline.ended();
  treeline = await runTreeline(installation.settings);
  // The server has another port now.
  await plan(id);
  expect(await bootstraps()).toEqual([{ status: 'FAILED', reason: expect.stringContaining('restart') }]);

  const finished = until(
    treeline.webSocket<Told>(CHANGES),
    ({ bootstrapChanged: { status } }) => status === 'FINISHED',
  );
  const device = runDevice(treeline.coap, ENDPOINT, '--bootstrap', bootstrapUri());
  await finished;
  await device.heard(/registered/);
  expect((await bootstraps()).map(({ status }) => status)).toEqual(['FINISHED', 'FAILED']);
  await device.stop();
});

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
    `{ device(endpoint: "${ENDPOINT}") { bootstraps(first: 5) { nodes { status reason } } } }`,
  );
  return device.bootstraps.nodes;
}

/** A Bootstrap-Request of a device that answers nothing afterwards. */
async function askAndFallSilent(): Promise<void> {
  const { hostname, port } = new URL(bootstrapUri().replace('coap:', 'http:'));
  const socket = createSocket('udp4');
  const options = [stringOption(optionNumbers.uriPath, 'bs'), stringOption(optionNumbers.uriQuery, `ep=${ENDPOINT}`)];
  const request = {
    type: 'CON',
    code: 2,
    messageId: 1,
    token: Buffer.of(1),
    options,
    payload: Buffer.alloc(0),
  } as const;
  socket.send(encode(request), Number(port), hostname);
  await once(socket, 'message');
  socket.close();
}
