import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DeviceProcess, runDevice } from './device-process.ts';
import { freshInstallation, type Installation, runTreeline, type TreelineProcess, until } from './treeline-process.ts';

const ENDPOINT = 'urn:dev:os:sleepy';
/** Seconds; the same for the server and the device. */
const AWAKE = 2;
/** Seconds; the device sends an Update after half of it. */
const LIFETIME = 40;

interface Rpc {
  readonly status: string;
  readonly result: unknown;
}

describe('RPCs for a device that sleeps during a restart of the server', () => {
  let installation: Installation;
  let treeline: TreelineProcess;
  let device: DeviceProcess;
  let id: string;
  let held: string[];

  beforeAll(async () => {
    installation = await freshInstallation();
    treeline = await runTreeline(installation.settings);
    const { provisionDevice } = await treeline.query<{ provisionDevice: { device: { id: string } } }>(
      `mutation ($input: ProvisionDeviceInput!) {
        provisionDevice(input: $input) { ... on ProvisionDevicePayload { device { id } } }
      }`,
      { input: { endpoint: ENDPOINT, awakeTime: AWAKE } },
    );
    id = provisionDevice.device.id;
    const statuses = treeline.sse<{ deviceStatusChanged: { status: string } }>(
      'subscription { deviceStatusChanged { status } }',
    );
    const asleep = until(statuses, ({ deviceStatusChanged: { status } }) => status === 'SLEEPING');
    const options = ['--queue', '--awake', String(AWAKE), '--lifetime', String(LIFETIME), '--drift', '0'];
    device = runDevice(treeline.coap, ENDPOINT, ...options);
    await asleep;
    await device.heard(/ sleeps$/m);
  });

  afterAll(async () => {
    await device?.stop();
    await treeline?.stop();
    await installation?.drop();
  });

  it('are queued', async () => {
    held = [
      await ask('writeResources', { values: [{ path: '/3/0/14', value: '+05:30' }] }),
      await ask('writeResources', { values: [{ path: '/3/0/15', value: 'Asia/Kolkata' }] }),
      await ask('readResources', { paths: ['/3/0/14', '/3/0/15'] }),
    ];
    for (const rpc of held) expect(await rpcOf(rpc)).toEqual({ status: 'QUEUED', result: null });
  });

  it('are still queued after the restart', async () => {
    const { port } = treeline.coap;
    expect(await treeline.stop()).toBe(0);
    treeline = await runTreeline({ ...installation.settings, TREELINE_COAP_PORT: String(port) });
    const { device: known } = await treeline.query<{ device: { status: string } }>(
      'query ($id: ID!) { device(id: $id) { status } }',
      { id },
    );
    expect(known.status).toBe('SLEEPING');
    for (const rpc of held) expect(await rpcOf(rpc)).toEqual({ status: 'QUEUED', result: null });
  });

  it('are sent in order, one at a time, when the device wakes', async () => {
    await device.heard(/ wakes$/m, LIFETIME * 1000);
    const ends = held.map((rpc) =>
      until(
        treeline.webSocket<{ rpcChanged: Rpc }>('subscription ($id: ID!) { rpcChanged(id: $id) { status result } }', {
          id: rpc,
        }),
        ({ rpcChanged }) => rpcChanged.status === 'SUCCESSFUL',
      ),
    );
    const [, , read] = await Promise.all(ends);
    expect(read?.rpcChanged.result).toMatchObject({
      code: '2.05',
      values: expect.arrayContaining([
        expect.objectContaining({ path: '/3/0/14', value: '+05:30' }),
        expect.objectContaining({ path: '/3/0/15', value: 'Asia/Kolkata' }),
      ]),
    });
    const [, sinceAwake = ''] = device.output().split(/ wakes$/m);
    const asked = [...sinceAwake.matchAll(/(?:replace|read) (\/3\/0\/14 \/3\/0\/15|\/3\/0\/1[45])/g)].map(
      ([line]) => line,
    );
    expect(asked).toEqual(['replace /3/0/14', 'replace /3/0/15', 'read /3/0/14 /3/0/15']);
  });

  /** Starts a persistent RPC and resolves with its id. */
  async function ask(mutation: 'readResources' | 'writeResources', input: Record<string, unknown>): Promise<string> {
    const name = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}`;
    const answer = await treeline.query<Record<string, { rpc: { id: string } }>>(
      `mutation ($input: ${name}Input!) { ${mutation}(input: $input) { ... on ${name}Payload { rpc { id } } } }`,
      { input: { deviceId: id, rpcMode: 'PERSISTENT', ...input } },
    );
    const rpc = answer[mutation]?.rpc.id;
    if (rpc === undefined) throw new Error(`${mutation} was refused`);
    return rpc;
  }

  async function rpcOf(rpcId: string): Promise<Rpc> {
    const { rpc } = await treeline.query<{ rpc: Rpc }>('query ($id: ID!) { rpc(id: $id) { status result } }', {
      id: rpcId,
    });
    return rpc;
  }
});
