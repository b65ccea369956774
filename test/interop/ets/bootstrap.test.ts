import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDevice } from '../../e2e/device-process.ts';
import { runTreeline, until, type TreelineProcess } from '../../e2e/treeline-process.ts';
import { decode, Path, registryModel } from '../../../src/lwm2m/index.ts';
import { coapClient, requirePeer } from '../peers/index.ts';
import { etsName } from './catalogue.ts';

interface Told {
  readonly endpoint: string;
  readonly status: string;
  readonly reason: string | null;
  readonly steps: readonly { readonly operation: string; readonly code: string | null }[];
}

interface Status {
  readonly deviceStatusChanged: { readonly status: string; readonly device: { readonly endpoint: string } };
}

describe('bootstrap cases that judge the device', () => {
  let treeline: TreelineProcess;
  /** The bootstrap server over DTLS: a device with a credential never bootstraps without security. */
  let bootstrap: string;

  beforeAll(async () => {
    treeline = await runTreeline();
    bootstrap = /Bootstrap\s+coap:\S+ (coaps:\S+)/.exec(treeline.output())?.[1] ?? '';
    await planFor(treeline);
  });

  afterAll(() => treeline?.stop());

  /** Provisions a device with a key for each server; resolves with its id and the flags of its bootstrap. */
  async function provisioned(endpoint: string): Promise<{ id: string; flags: string[] }> {
    const { provisionDevice } = await treeline.query<{ provisionDevice: { device: { id: string } } }>(
      `mutation ($endpoint: String!) {
        provisionDevice(input: { endpoint: $endpoint, security: { psk: {} } }) {
          ... on ProvisionDevicePayload { device { id } }
        }
      }`,
      { endpoint },
    );
    const { id } = provisionDevice.device;
    const { createBootstrapCredential } = await treeline.query<{
      createBootstrapCredential: { secret: { identity: string; keyHex: string } };
    }>(
      `mutation ($id: ID!) {
        createBootstrapCredential(input: { deviceId: $id, credential: { psk: {} } }) {
          ... on CreateBootstrapCredentialPayload { secret { identity keyHex } }
        }
      }`,
      { id },
    );
    const { identity, keyHex } = createBootstrapCredential.secret;
    return { id, flags: ['--bootstrap', bootstrap, '--psk-identity', identity, '--psk-key', keyHex] };
  }

  async function online(endpoint: string): Promise<void> {
    const statuses = treeline.webSocket<Status>('subscription { deviceStatusChanged { status device { endpoint } } }');
    await until(
      statuses,
      ({ deviceStatusChanged: { status, device } }) => status === 'ONLINE' && device.endpoint === endpoint,
    );
  }

  it(etsName(6, 'simulated device', '1.1 over UDP'), async () => {
    const endpoint = 'urn:imei:490154203237606';
    const registered = online(endpoint);
    const device = runDevice(treeline.coap, endpoint, '--bootstrap', bootstrap);
    await registered;
    await device.stop();
    // It had an account from the factory, so it never asked.
    expect(device.output()).not.toContain('bootstrap');
    const { device: known } = await treeline.query<{ device: unknown }>(
      'query ($endpoint: String!) { device(endpoint: $endpoint) { bootstraps(first: 1) { nodes { status } } } }',
      { endpoint },
    );
    expect(known).toEqual({ bootstraps: { nodes: [] } });
  });

  it(etsName(7, 'simulated device', '1.1 over UDP, then DTLS'), async () => {
    const endpoint = 'urn:imei:490154203237607';
    const { flags } = await provisioned(endpoint);
    const registered = online(endpoint);
    const device = runDevice(treeline.coap, endpoint, ...flags);
    // Its account has no key: the server refuses it, and it falls back to the bootstrap server.
    await device.heard(/register → 4\.03/);
    await registered;
    const { device: known } = await treeline.query<{ device: unknown }>(
      `query ($endpoint: String!) {
        device(endpoint: $endpoint) { registration { transport } bootstraps(first: 1) { nodes { status } } }
      }`,
      { endpoint },
    );
    expect(known).toEqual({ registration: { transport: 'DTLS' }, bootstraps: { nodes: [{ status: 'FINISHED' }] } });
    await device.stop();
  });

  it(etsName(9, 'simulated device', '1.1 over DTLS with PSK'), async () => {
    const endpoint = 'urn:imei:490154203237609';
    const { id, flags } = await provisioned(endpoint);
    // A Server account without the Security instance that goes with it.
    await treeline.query(
      `mutation ($id: ID!) {
        setBootstrapPlan(input: { deviceId: $id, plan: { values: [
          { path: "/1/0/0", value: 101 }, { path: "/1/0/1", value: 300 }, { path: "/1/0/6", value: true }, { path: "/1/0/7", value: "U" }
        ] } }) { __typename }
      }`,
      { id },
    );
    const told = treeline.webSocket<{ bootstrapChanged: Told }>(
      'subscription { bootstrapChanged { endpoint status reason steps { operation code } } }',
    );
    const failed = until(told, ({ bootstrapChanged: { status } }) => status === 'FAILED');
    const device = runDevice(treeline.coap, endpoint, ...flags);
    const { bootstrapChanged } = await failed;
    await device.stop();
    expect(bootstrapChanged).toMatchObject({
      endpoint,
      reason: expect.stringContaining('no Server instance has the short server id'),
    });
    const finishes = bootstrapChanged.steps.filter(({ operation }) => operation === 'FINISH');
    // One corrected round, then it has failed.
    expect(finishes.map(({ code }) => code)).toEqual(['4.06', '4.06']);
  });
});

requirePeer('libcoap')('a bootstrap pack', () => {
  let treeline: TreelineProcess;

  beforeAll(async () => {
    treeline = await runTreeline();
  });

  afterAll(() => treeline?.stop());

  it(etsName(12, 'libcoap', '1.2 over UDP'), async () => {
    await planFor(treeline);
    const bootstrap = /Bootstrap\s+(coap:\S+)/.exec(treeline.output())?.[1] ?? '';
    const answer = await coapClient({ method: 'get', uri: `${bootstrap}/bspack?ep=urn:dev:os:pack`, accept: 112 });
    expect(answer.error).toBeNull();
    const { readings } = decode({
      contentFormat: 112,
      path: Path.root,
      payload: answer.payload,
      model: registryModel(),
      now: Date.now() / 1000,
    });
    const values = new Map(readings.map(({ path, value }) => [String(path), value]));
    expect(values.get('/0/100/0')).toBe(`coaps://${treeline.coaps.host}:${treeline.coaps.port}`);
    expect(values.get('/0/100/5')).toHaveLength(32);
    expect(values.get('/1/100/0')).toBe(values.get('/0/100/10'));
    const { bootstraps } = await treeline.query<{ bootstraps: unknown }>(
      '{ bootstraps(first: 1) { nodes { endpoint status pack steps { operation code } } } }',
    );
    expect(bootstraps).toEqual({
      nodes: [
        {
          endpoint: 'urn:dev:os:pack',
          status: 'FINISHED',
          pack: true,
          // coap-client has no resources.
          steps: [
            { operation: 'DISCOVER', code: '4.04' },
            { operation: 'PACK', code: '2.05' },
          ],
        },
      ],
    });
  });
});

/** The default profile's plan: this server, and a fresh key for each device. */
async function planFor(treeline: TreelineProcess): Promise<void> {
  const { deviceProfiles } = await treeline.query<{ deviceProfiles: { nodes: { id: string }[] } }>(
    '{ deviceProfiles(first: 1) { nodes { id } } }',
  );
  await treeline.query(
    `mutation ($profileId: ID!, $uri: String!) {
      setBootstrapPlan(input: { profileId: $profileId, plan: { server: { uri: $uri } } }) { __typename }
    }`,
    { profileId: deviceProfiles.nodes[0]?.id, uri: `coaps://${treeline.coaps.host}:${treeline.coaps.port}` },
  );
}
