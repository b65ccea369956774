import { expect } from 'vitest';
import type { TreelineProcess } from '../e2e/treeline-process.ts';

/** A device as `provisionDevice` answers it; the secret is that of a pre-shared key. */
export interface Provisioned {
  readonly device: { readonly id: string };
  readonly credential: { readonly id: string };
  readonly secret: { readonly identity: string; readonly keyHex: string } | null;
}

/** How a handshake of a device ended, as its log in GraphQL has it; the newest is the first. */
export interface HandshakeSeen {
  readonly established: boolean;
  readonly resumed: boolean;
  readonly suite: string | null;
  readonly alert: string | null;
  readonly reason: string | null;
}

/** `security` is the input of `provisionDevice`: `{ psk: {} }`. */
export async function provision(treeline: TreelineProcess, endpoint: string, security: object): Promise<Provisioned> {
  const { provisionDevice } = await treeline.query<{ provisionDevice: Provisioned }>(
    `mutation ($input: ProvisionDeviceInput!) { provisionDevice(input: $input) {
      ... on ProvisionDevicePayload { device { id } credential { id } secret { identity keyHex } }
      ... on UserError { message }
    } }`,
    { input: { endpoint, security } },
  );
  expect(provisionDevice.device).toBeDefined();
  return provisionDevice;
}

/** From now on the product takes certificates that this one (DER) issued. */
export async function addTrustAnchor(treeline: TreelineProcess, certificate: Buffer): Promise<void> {
  const { addTrustAnchor: added } = await treeline.query<{ addTrustAnchor: object }>(
    `mutation ($certificate: String!) { addTrustAnchor(input: { name: "Factory", certificate: $certificate }) {
      ... on AddTrustAnchorPayload { trustAnchor { id } }
      ... on UserError { message }
    } }`,
    { certificate: certificate.toString('base64') },
  );
  expect(added).toHaveProperty('trustAnchor');
}

/** What `readResources` answers for a path of a device. */
export async function readPath(treeline: TreelineProcess, id: string, path: string): Promise<unknown> {
  const { readResources } = await treeline.query<{ readResources: unknown }>(
    `mutation ($id: ID!, $path: ResourcePath!) { readResources(input: { deviceId: $id, paths: [$path] }) {
      ... on ReadResourcesPayload { rpc { status } values { path value } }
      ... on UserError { message }
    } }`,
    { id, path },
  );
  return readResources;
}

/** The log of a device's handshakes, once it holds so many. */
export async function handshakesOf(
  treeline: TreelineProcess,
  id: string,
  { count = 1, timeout = 20_000 } = {},
): Promise<readonly HandshakeSeen[]> {
  const log = async (): Promise<readonly HandshakeSeen[]> => {
    const { device } = await treeline.query<{ device: { handshakes: HandshakeSeen[] } }>(
      'query ($id: ID!) { device(id: $id) { handshakes { established resumed suite alert reason } } }',
      { id },
    );
    return device.handshakes;
  };
  await expect.poll(async () => (await log()).length, { timeout }).toBeGreaterThanOrEqual(count);
  return log();
}
