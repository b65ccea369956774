import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { certify } from '../dtls/certificates.ts';
import { freshInstallation, runTreeline, type Installation, type TreelineProcess } from '../e2e/treeline-process.ts';
import { etsName } from './ets/catalogue.ts';
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

const NOSEC = '1.1 over UDP';
const PSK = '1.1 over DTLS with PSK';

requirePeer('leshan')('the bootstrap server, with the Leshan client', () => {
  let installation: Installation;
  let dataDir: string;
  let treeline: TreelineProcess;
  let profileId: string;
  let devices: LeshanDevice[] = [];
  let at: { readonly coap: string; readonly coaps: string; readonly lwm2m: string };

  beforeAll(async () => {
    installation = await freshInstallation();
    dataDir = installation.settings['TREELINE_DATA_DIR'] ?? '';
    treeline = await runTreeline(installation.settings);
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

  afterAll(async () => {
    await treeline?.stop();
    await installation?.drop();
  });

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

  /** Creates a bootstrap PSK of the device. */
  async function bootstrapKey(deviceId: string): Promise<{ identity: string; keyHex: string }> {
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
    return createBootstrapCredential.secret;
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

  it(`${etsName(0, 'Leshan', NOSEC)}: gives server and key, registers by them over DTLS`, async () => {
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
    expect(stepsOf(node)).toEqual([
      'DISCOVER / 2.05',
      'DELETE /0 2.02',
      'DELETE /1 2.02',
      'WRITE /0/100 2.04',
      'WRITE /1/100 2.04',
      'READ /1 2.05',
      expect.stringMatching(/^READ \/2 /),
      'FINISH /bs 2.04',
    ]);
  });

  it(`${etsName(4, 'Leshan', PSK)}: its account survives, so that it bootstraps again`, async () => {
    const endpoint = 'urn:dev:bootstrap-delete';
    const device = run({ serverUri: at.coaps, endpoint, psk: await bootstrapKey(await provisioned(endpoint)) });
    await device.registered();
    const since = device.mark();
    device.write('bootstrap');
    await device.registered({ since });
    const { edges } = (await story(endpoint)).bootstraps;
    expect(edges.map(({ node }) => node.status)).toEqual(['FINISHED', 'FINISHED']);
    for (const { node } of edges)
      expect(stepsOf(node)).toEqual(expect.arrayContaining(['DELETE /0 2.02', 'DELETE /1 2.02']));
  });

  it(`${etsName(8, 'Leshan', NOSEC)}: the servers that it has are read back`, async () => {
    const endpoint = 'urn:dev:bootstrap-read';
    await run({ serverUri: at.coap, endpoint }).registered();
    const [{ node } = { node: null }] = (await story(endpoint)).bootstraps.edges;
    expect(node?.steps.find(({ operation }) => operation === 'READ')).toMatchObject({ path: '/1', code: '2.05' });
  });

  it(`${etsName(1, 'Leshan', PSK)}: gives server and key, registers by them over DTLS`, async () => {
    const endpoint = 'urn:dev:bootstrap-psk';
    const psk = await bootstrapKey(await provisioned(endpoint));
    const device = run({ serverUri: at.coaps, endpoint, psk });
    await device.registered();
    expect(await story(endpoint)).toMatchObject({
      registration: { transport: 'DTLS', security: { kind: 'PSK' } },
      bootstraps: { edges: [{ node: { status: 'FINISHED', security: { kind: 'PSK', name: endpoint } } }] },
    });
    expect(treeline.output()).not.toContain(psk.keyHex);
  });

  it(`${etsName(5, 'Leshan', PSK)}: the old key ends when the new one was used`, async () => {
    const endpoint = 'urn:dev:bootstrap-again';
    const id = await provisioned(endpoint);
    const device = run({ serverUri: at.coaps, endpoint, psk: await bootstrapKey(id) });
    await device.registered();
    const before = await story(endpoint);
    const since = device.mark();
    const { requestBootstrap } = await treeline.query<{ requestBootstrap: unknown }>(
      `mutation ($id: ID!) {
        requestBootstrap(input: { deviceId: $id }) {
          ... on RequestBootstrapPayload { rpc { status } }
          ... on UserError { message }
        }
      }`,
      { id },
    );
    expect(requestBootstrap).toEqual({ rpc: { status: 'SUCCESSFUL' } });
    await device.waitFor(/^BOOTSTRAPPED/, { since });
    await device.registered({ since });
    const after = await story(endpoint);
    expect(after.bootstraps.edges.map(({ node }) => node.status)).toEqual(['FINISHED', 'FINISHED']);
    const used = after.registration.security.name;
    expect(used).not.toBe(before.registration.security.name);
    const { device: known } = await treeline.query<{
      device: { credentials: { identity: string; purpose: string; revokedAt: string | null }[] };
    }>('query ($endpoint: String!) { device(endpoint: $endpoint) { credentials { identity revokedAt purpose } } }', {
      endpoint,
    });
    expect(known.credentials).toEqual([
      { identity: used, purpose: 'LWM2M', revokedAt: null },
      { identity: before.registration.security.name, purpose: 'LWM2M', revokedAt: expect.any(String) },
      { identity: endpoint, purpose: 'BOOTSTRAP', revokedAt: null },
    ]);
  });

  it(`${etsName(2, 'Leshan', '1.1 over DTLS with X.509')}: gives server and certificate`, async () => {
    const endpoint = 'urn:dev:bootstrap-x509';
    const dates = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
    const authority = certify('Factory', null, dates);
    const own = certify(endpoint, authority, dates);
    const server = new X509Certificate(await readFile(join(dataDir, 'dtls-certificate.pem'))).raw;
    const key = own.privateKey.export({ format: 'der', type: 'pkcs8' });
    const deviceId = await provisioned(endpoint);
    const made = await treeline.query<Record<string, { __typename: string }>>(
      `mutation ($deviceId: ID!, $anchor: String!) {
        addTrustAnchor(input: { name: "Factory", certificate: $anchor }) { __typename }
        createBootstrapCredential(input: { deviceId: $deviceId, credential: { certificate: {} } }) { __typename }
        createCredential(input: { deviceId: $deviceId, credential: { certificate: {} } }) { __typename }
      }`,
      { deviceId, anchor: authority.certificate.toString('base64') },
    );
    expect(Object.values(made).map((result) => result.__typename)).toEqual([
      'AddTrustAnchorPayload',
      'CreateBootstrapCredentialPayload',
      'CreateCredentialPayload',
    ]);
    const account = {
      '0': at.lwm2m,
      '1': false,
      '2': 2,
      '3': own.certificate.toString('base64'),
      '4': server.toString('base64'),
    };
    const set = await setPlan({
      deviceId,
      plan: {
        values: [
          { path: '/0/1', value: { ...account, '5': key.toString('base64'), '10': 1 } },
          { path: '/1/0', value: { '0': 1, '1': 300, '6': true, '7': 'U' } },
        ],
      },
    });
    expect(set).toEqual({ plan: { server: null } });
    const files = await mkdtemp(join(tmpdir(), 'treeline-x509-'));
    const written = { own: own.certificate, privateKey: key, server };
    const paths = { own: join(files, 'own'), privateKey: join(files, 'privateKey'), server: join(files, 'server') };
    for (const name of ['own', 'privateKey', 'server'] as const) await writeFile(paths[name], written[name]);
    const device = run({ serverUri: at.coaps, endpoint, certificate: paths });
    await device.registered();
    await rm(files, { recursive: true });
    expect(await story(endpoint)).toMatchObject({
      registration: { transport: 'DTLS', security: { kind: 'X509' } },
      bootstraps: { edges: [{ node: { status: 'FINISHED', security: { kind: 'X509' } } }] },
    });
  });

  it('lets a device of a production run in by its factory key, and makes it a device', async () => {
    const endpoint = 'urn:batch:1';
    const { createFactoryCredential } = await treeline.query<{ createFactoryCredential: { keyHex: string } }>(
      `mutation ($expiresAt: DateTime!) {
        createFactoryCredential(input: {
          name: "Batch", identity: "batch", endpointPattern: "urn:batch:*", mostDevices: 10, expiresAt: $expiresAt
        }) { ... on CreateFactoryCredentialPayload { keyHex } }
      }`,
      { expiresAt: new Date(Date.now() + 60_000) },
    );
    const psk = { identity: 'batch', keyHex: createFactoryCredential.keyHex };
    await run({ serverUri: at.coaps, endpoint, psk }).registered();
    expect(await story(endpoint)).toMatchObject({ status: 'ONLINE', registration: { security: { kind: 'PSK' } } });
    await run({ serverUri: at.coaps, endpoint: 'urn:other:1', psk }).waitFor(/^BOOTSTRAP FAILED.*BAD_REQUEST/);
    const { bootstraps } = await treeline.query<{ bootstraps: { edges: object[] } }>(
      '{ bootstraps(status: [REFUSED], first: 1) { edges { node { endpoint reason device { id } } } } }',
    );
    expect(bootstraps.edges).toEqual([
      { node: { endpoint: 'urn:other:1', reason: 'the endpoint does not match urn:batch:*', device: null } },
    ]);
  });
});

function stepsOf(bootstrap: { readonly steps: readonly Step[] } | null): string[] | undefined {
  return bootstrap?.steps.map(({ operation, path, code }) => `${operation} ${path} ${code}`);
}
