import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { certify } from '../dtls/certificates.ts';
import { openCertificateSession } from '../e2e/certificate-session.ts';
import { runDevice, type DeviceProcess } from '../e2e/device-process.ts';
import { runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { PostgresCluster, requirePeer } from './peers/index.ts';

/** Milliseconds; without the channel between the processes, a revocation is found at the next check, after up to 30 s. */
const LISTENED = 5_000;
const ENDPOINT = 'urn:imei:490154203237720';

requirePeer('postgres')('two processes on one Postgres', () => {
  let cluster: PostgresCluster;
  let directories: string[];
  let first: TreelineProcess;
  let second: TreelineProcess;
  let device: DeviceProcess | undefined;

  beforeAll(async () => {
    cluster = await PostgresCluster.start();
    directories = [await mkdtemp(join(tmpdir(), 'treeline-a-')), await mkdtemp(join(tmpdir(), 'treeline-b-'))];
    const settings = { DATABASE_URL: cluster.url, TREELINE_SECRET_KEY: 'ab'.repeat(32) };
    first = await runTreeline({ ...settings, TREELINE_DATA_DIR: directories[0] ?? '' });
    second = await runTreeline({ ...settings, TREELINE_DATA_DIR: directories[1] ?? '' });
  }, 120_000);
  afterAll(async () => {
    await device?.stop();
    await Promise.all([first?.stop(), second?.stop()]);
    await cluster?.stop();
    for (const directory of directories ?? []) await rm(directory, { recursive: true, force: true });
  });

  it('end the WebSocket of an API key that the other process revokes, within a second', async () => {
    const { createApiKey } = await first.query<{ createApiKey: { token: string; id: string } }>(
      'mutation { createApiKey(input: { name: "x", role: ADMIN }) { ... on CreateApiKeyPayload { token id } } }',
    );
    const closed: unknown[] = [];
    await new Promise<void>((resolve) => {
      createClient({
        url: second.graphql.replace('http', 'ws'),
        webSocketImpl: WebSocket,
        connectionParams: { token: createApiKey.token },
        lazy: false,
        retryAttempts: 0,
        onNonLazyError: () => {},
        on: { connected: () => resolve(), closed: (event) => closed.push(event) },
      });
    });
    const at = Date.now();
    await first.query('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { __typename } }', {
      id: createApiKey.id,
    });
    await vi.waitFor(() => expect(closed).toMatchObject([{ code: 4403 }]), { timeout: 5_000, interval: 10 });
    expect(Date.now() - at).toBeLessThan(1_000);
  });

  it('end the SSE stream of an API key that the other process revokes, before it carries later events', async () => {
    const { createApiKey } = await first.query<{ createApiKey: { token: string; id: string } }>(
      'mutation { createApiKey(input: { name: "y", role: ADMIN }) { ... on CreateApiKeyPayload { token id } } }',
    );
    const url = new URL(second.graphql);
    url.searchParams.set('query', 'subscription { deviceStatusChanged { reason } }');
    const headers = { authorization: `Bearer ${createApiKey.token}`, accept: 'text/event-stream' };
    const stream = await fetch(url, { headers });
    expect(stream.status).toBe(200);
    const received = stream.text().catch(() => 'cut');
    const at = Date.now();
    await first.query('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { __typename } }', {
      id: createApiKey.id,
    });
    const text = await received;
    expect(Date.now() - at).toBeLessThan(LISTENED);
    expect(text).not.toContain('data: {"data"');
    expect((await fetch(url, { headers })).status).toBe(401);
  });

  it('end the DTLS session of a device whose trust anchor the other process removes', async () => {
    const valid = { notBefore: Date.now() - 86_400_000, notAfter: Date.now() + 86_400_000 };
    const root = certify('Factory', null, valid);
    const name = 'urn:dev:os:certified';
    const { addTrustAnchor } = await first.query<{ addTrustAnchor: { trustAnchor: { id: string } } }>(
      `mutation ($certificate: String!, $endpoint: String!) {
        addTrustAnchor(input: { name: "Factory", certificate: $certificate }) {
          ... on AddTrustAnchorPayload { trustAnchor { id } }
        }
        provisionDevice(input: { endpoint: $endpoint, security: { certificate: {} } }) { __typename }
      }`,
      { certificate: root.certificate.toString('base64'), endpoint: name },
    );
    const session = await openCertificateSession(second.coaps, certify(name, root, valid));
    const at = Date.now();
    try {
      await first.query('mutation ($id: ID!) { removeTrustAnchor(input: { id: $id }) { __typename } }', {
        id: addTrustAnchor.trustAnchor.id,
      });
      expect(await session.ended()).toBe('access_denied');
      expect(Date.now() - at).toBeLessThan(LISTENED);
    } finally {
      session.close();
    }
  });

  it('end the DTLS session of a credential that the other process revokes', async () => {
    const { provisionDevice } = await first.query<{
      provisionDevice: { device: { credentials: { id: string }[] }; secret: { identity: string; keyHex: string } };
    }>(
      `mutation ($endpoint: String!) {
        provisionDevice(input: { endpoint: $endpoint, security: { psk: {} } }) {
          ... on ProvisionDevicePayload { device { credentials { id } } secret { identity keyHex } }
        }
      }`,
      { endpoint: ENDPOINT },
    );
    const { identity, keyHex } = provisionDevice.secret;
    device = runDevice({ scheme: 'coaps', ...second.coaps }, ENDPOINT, '--psk-identity', identity, '--psk-key', keyHex);
    await device.heard(/registered/);
    const sessions = (): Promise<string> => second.metrics();
    expect(await sessions()).toMatch(/^treeline_dtls_sessions\{server="lwm2m",state="open"\} 1$/m);
    await first.query('mutation ($id: ID!) { revokeCredential(input: { id: $id }) { __typename } }', {
      id: provisionDevice.device.credentials[0]?.id,
    });
    await vi.waitFor(async () => {
      expect(await sessions()).toMatch(/^treeline_dtls_sessions\{server="lwm2m",state="open"\} 0$/m);
    });
    expect(await sessions()).toMatch(/^treeline_channel_connected 1$/m);
  });
});
