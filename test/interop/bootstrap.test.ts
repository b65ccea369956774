import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { LeshanDevice, requirePeer, type LeshanOptions } from './peers/index.ts';

interface Step {
  readonly operation: string;
  readonly path: string;
  readonly code: string | null;
}
interface Bootstrapped {
  readonly status: string;
  readonly registration: {
    readonly transport: string;
    readonly security: { readonly kind: string; readonly name: string };
  };
  readonly bootstraps: {
    readonly edges: readonly { readonly node: { readonly status: string; readonly steps: readonly Step[] } }[];
  };
}

requirePeer('leshan')('the bootstrap server, with the Leshan client', () => {
  let treeline: TreelineProcess;
  let profileId: string;
  let devices: LeshanDevice[] = [];
  let at: { readonly coap: string; readonly coaps: string; readonly lwm2m: string };

  beforeAll(async () => {
    treeline = await runTreeline();
    const [, coap = '', coaps = ''] = /Bootstrap\s+(coap:\S+) (coaps:\S+)/.exec(treeline.output()) ?? [];
    const [, lwm2m = ''] = /(coaps:\S+)\s+DTLS/.exec(treeline.output()) ?? [];
    at = { coap, coaps, lwm2m };
    const { deviceProfiles } = await treeline.query<{ deviceProfiles: { edges: { node: { id: string } }[] } }>(
      '{ deviceProfiles(first: 1) { edges { node { id } } } }',
    );
    profileId = deviceProfiles.edges[0]?.node.id ?? '';
    expect(await setPlan({ profileId, plan: { server: { uri: at.lwm2m }, reads: ['/1', '/2'] } })).toMatchObject({
      plan: { server: { uri: at.lwm2m, shortServerId: 1, security: 'FRESH_PSK' } },
    });
  });

  afterEach(async () => {
    await Promise.all(devices.map((device) => device.kill()));
    devices = [];
  });

  afterAll(() => treeline?.stop());

  function run(options: Omit<LeshanOptions, 'bootstrap'>): LeshanDevice {
    const device = new LeshanDevice({ ...options, bootstrap: true });
    devices.push(device);
    return device;
  }

  async function setPlan(input: object): Promise<unknown> {
    const { setBootstrapPlan } = await treeline.query<{ setBootstrapPlan: unknown }>(
      `mutation ($input: SetBootstrapPlanInput!) {
        setBootstrapPlan(input: $input) {
          ... on SetBootstrapPlanPayload { plan { server { uri shortServerId lifetime security } } }
          ... on UserError { message }
        }
      }`,
      { input },
    );
    return setBootstrapPlan;
  }

  async function provisioned(endpoint: string): Promise<string> {
    const { provisionDevice } = await treeline.query<{ provisionDevice: { device: { id: string } } }>(
      `mutation ($endpoint: String!) {
        provisionDevice(input: { endpoint: $endpoint }) { ... on ProvisionDevicePayload { device { id } } }
      }`,
      { endpoint },
    );
    return provisionDevice.device.id;
  }

  async function story(endpoint: string): Promise<Bootstrapped> {
    const { device } = await treeline.query<{ device: Bootstrapped }>(
      `query ($endpoint: String!) {
        device(endpoint: $endpoint) {
          status
          registration { transport security { kind name } }
          bootstraps(first: 5) {
            edges { node { status reason security { kind name } lwm2mVersion steps { operation path code bytes message } } }
          }
        }
      }`,
      { endpoint },
    );
    return device;
  }

  it('LightweightM2M-1.1-int-0, int-1, int-4, int-8: over NoSec gives server and key, registers by them over DTLS', async () => {
    const endpoint = 'urn:dev:bootstrap-nosec';
    const device = run({ serverUri: at.coap, endpoint });
    await device.waitFor(/^BOOTSTRAPPED/);
    await device.registered();
    const told = await story(endpoint);
    expect(told).toMatchObject({
      status: 'ONLINE',
      registration: { transport: 'DTLS', security: { kind: 'PSK', name: expect.stringContaining(endpoint) } },
    });
    const [{ node } = { node: null }] = told.bootstraps.edges;
    // Leshan's Discover says 1.0, whatever it speaks.
    expect(node).toMatchObject({ status: 'FINISHED', reason: null, security: null, lwm2mVersion: '1.0' });
    expect(node?.steps.map(({ operation, path, code }) => `${operation} ${path} ${code}`)).toEqual([
      'DISCOVER / 2.05',
      'DELETE /0 2.02',
      'DELETE /1 2.02',
      expect.stringMatching(/^WRITE \/0\/\d 2.04$/),
      'WRITE /1/0 2.04',
      'READ /1 2.05',
      expect.stringMatching(/^READ \/2 /),
      'FINISH /bs 2.04',
    ]);
  });

  it('LightweightM2M-1.1-int-1: over PSK gives server and key, registers by them over DTLS', async () => {
    const endpoint = 'urn:dev:bootstrap-psk';
    const deviceId = await provisioned(endpoint);
    const { createBootstrapCredential } = await treeline.query<{
      createBootstrapCredential: { secret: { identity: string; keyHex: string } };
    }>(
      `mutation ($deviceId: ID!) {
        createBootstrapCredential(input: { deviceId: $deviceId, credential: { psk: {} } }) {
          ... on CreateBootstrapCredentialPayload { secret { identity keyHex } }
        }
      }`,
      { deviceId },
    );
    const device = run({ serverUri: at.coaps, endpoint, psk: createBootstrapCredential.secret });
    await device.registered();
    expect(await story(endpoint)).toMatchObject({
      registration: { transport: 'DTLS', security: { kind: 'PSK' } },
      bootstraps: { edges: [{ node: { status: 'FINISHED', security: { kind: 'PSK', name: endpoint } } }] },
    });
    expect(treeline.output()).not.toContain(createBootstrapCredential.secret.keyHex);
  });
});
