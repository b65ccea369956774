import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDevice, type DeviceProcess } from './device-process.ts';
import { runTreeline, type TreelineProcess } from './treeline-process.ts';

const ENDPOINT = 'urn:dev:os:simulated';

let treeline: TreelineProcess;
let device: DeviceProcess;
let id: string;
let credential: string;

interface Provisioned {
  readonly provisionDevice: {
    readonly device: { readonly id: string };
    readonly credential: { readonly id: string };
    readonly secret: { readonly keyHex: string };
  };
}

beforeAll(async () => {
  treeline = await runTreeline();
  const { provisionDevice } = await treeline.query<Provisioned>(
    `mutation ($endpoint: String!) { provisionDevice(input: { endpoint: $endpoint, security: { psk: {} } }) {
      ... on ProvisionDevicePayload { device { id } credential { id } secret { keyHex } }
    } }`,
    { endpoint: ENDPOINT },
  );
  ({ id } = provisionDevice.device);
  credential = provisionDevice.credential.id;
  device = runDevice({ scheme: 'coaps', ...treeline.coaps }, ENDPOINT, '--psk-key', provisionDevice.secret.keyHex);
  await device.heard(/registered/);
});

afterAll(async () => {
  await device?.stop();
  await treeline?.stop();
});

it('accepts a simulated device with the key from its provisioning', async () => {
  const { device: found } = await treeline.query<{ device: unknown }>(
    'query ($id: ID!) { device(id: $id) { status registration { transport security { kind name } } } }',
    { id },
  );
  expect(found).toEqual({
    status: 'ONLINE',
    registration: { transport: 'DTLS', security: { kind: 'PSK', name: ENDPOINT } },
  });
});

it('reads from the device over the session that the device opened', async () => {
  const { readResources } = await treeline.query<{ readResources: unknown }>(
    `mutation ($id: ID!) { readResources(input: { deviceId: $id, paths: ["/3303/0/5700"] }) {
      ... on ReadResourcesPayload { rpc { status } values { path } }
    } }`,
    { id },
  );
  expect(readResources).toEqual({ rpc: { status: 'SUCCESSFUL' }, values: [{ path: '/3303/0/5700' }] });
});

it('ends the registration when the credential is revoked, and refuses the endpoint without security', async () => {
  await treeline.query('mutation ($id: ID!) { revokeCredential(input: { id: $id }) { __typename } }', {
    id: credential,
  });
  await expect.poll(registered, { timeout: 10_000 }).toBe(false);
  const impostor = runDevice(treeline.coap, ENDPOINT);
  await impostor.heard(/4\.03/);
  await impostor.stop();
  expect(await registered()).toBe(false);
});

async function registered(): Promise<boolean> {
  const query = 'query ($id: ID!) { device(id: $id) { registration { transport } } }';
  const { device: found } = await treeline.query<{ device: { registration: unknown } }>(query, { id });
  return found.registration !== null;
}
