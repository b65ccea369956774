import { randomBytes, randomUUID } from 'node:crypto';
import { DEFAULT_TENANT, type Bootstrap, type DeviceId } from '../../src/fleet/index.ts';
import { bootstraps, deadLetters, handshakes, registrationProblems, type Store } from '../../src/store/index.ts';
import { certify } from '../dtls/certificates.ts';
import { objectXml } from '../lwm2m/object-xml.ts';
import { apiWorld, type ApiWorld } from '../server/api-world.ts';
import type { OfferedValues } from './generated-values.ts';

/** The API with at least one of everything that can be asked for. */
export interface PopulatedWorld {
  readonly api: ApiWorld;
  readonly offered: OfferedValues;
  /** A mutation that is answered with each error that a union can hold, except ForbiddenError. */
  readonly errors: Readonly<Record<string, { readonly mutation: string; readonly input: () => unknown }>>;
  /** What makes an event of each subscription. */
  readonly events: Readonly<Record<string, () => void>>;
}

/** What is selected of a mutation's payload: the id of what it made, which stands in the payload or in a field of it. */
interface Payload {
  readonly __typename: string;
  readonly id?: string;
  readonly made?: { readonly id: string };
}

const uuidOf = (id: string): string => Buffer.from(id, 'base64url').toString().split(':')[1] ?? '';

export async function populatedWorld(store: Store): Promise<PopulatedWorld> {
  const api = await apiWorld(store, { limits: { complexity: 1_000_000_000, depth: 100, tokens: 200_000 } });
  let count = 0;
  const name = (): string => `made-${++count}`;

  /** Does a mutation as admin, and selects this of its payload. */
  async function done(mutation: string, input: object, selection = '__typename'): Promise<Payload> {
    const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}`;
    const data = await api.data<Record<string, Payload>>(
      `mutation ($input: ${type}Input!) { ${mutation}(input: $input) {
        __typename ... on ${type}Payload { ${selection} } ... on UserError { message } } }`,
      { input },
    );
    const result = data[mutation];
    if (result?.__typename !== `${type}Payload`) throw new Error(`${mutation}: ${JSON.stringify(result)}`);
    return result;
  }
  /** The id of what a mutation makes; `field` is where the payload has it. */
  async function made(mutation: string, input: object, field?: string): Promise<string> {
    const payload = await done(mutation, input, field === undefined ? 'id' : `made: ${field} { id }`);
    const id = payload.made?.id ?? payload.id;
    if (id === undefined) throw new Error(`${mutation} made nothing`);
    return id;
  }
  const newDevice = (): Promise<string> => made('provisionDevice', { endpoint: `urn:${name()}` }, 'device');
  const newProfile = (): Promise<string> => made('createDeviceProfile', { name: name() }, 'profile');
  const newCredential = async (): Promise<string> =>
    made('createCredential', { deviceId: await newDevice(), credential: { psk: {} } }, 'credential');
  const newCertificate = (): string =>
    certify(name(), null, { notBefore: Date.now(), notAfter: Date.now() + 60_000 }).certificate.toString('base64');
  const newAnchor = (): Promise<string> =>
    made('addTrustAnchor', { name: name(), certificate: newCertificate() }, 'trustAnchor');
  const newFactoryCredential = (): Promise<string> =>
    made(
      'createFactoryCredential',
      { name: name(), identity: name(), endpointPattern: '*', mostDevices: 1, expiresAt: '2100-01-01T00:00:00Z' },
      'factoryCredential',
    );

  // A device with a tree, an observation, telemetry, and links that have attributes.
  const profile = await made(
    'createDeviceProfile',
    {
      name: 'whole',
      mappings: [{ path: '/3303/0/5700', metric: 'temperature', attributes: { pmin: 0, pmax: 600 } }],
      methods: [{ name: 'resetMeasured', operation: 'EXECUTE', path: '/3303/0/5605' }],
    },
    'profile',
  );
  const plan = { server: { uri: 'coaps://lwm2m.example.com' }, values: [{ path: '/3/0/15', value: 'Europe/Berlin' }] };
  await done('setBootstrapPlan', { profileId: profile, plan });
  const device = await made('provisionDevice', { endpoint: 'urn:whole', profileId: profile }, 'device');
  await api.device('urn:whole');
  const absent = await newDevice();
  await done('readResources', { deviceId: device, paths: ['/3/0', '/3303/0'] });
  await done('writeAttributes', { deviceId: device, path: '/3303/0', attributes: { pmin: 1 } });
  const failed = await made('readResources', { deviceId: device, paths: ['/3303/99'] }, 'rpc');
  const credential = await newCredential();
  await newAnchor();
  await newFactoryCredential();
  await done('setRegistrationProfile', { profileId: 'v:whole', links: '</3/0>' });
  const deviceId = uuidOf(device) as DeviceId; // as its global id holds it
  const bootstrap = bootstrapOf(deviceId);
  await store.asSystem(async (tx) => {
    // This world has neither DTLS nor a bootstrap server, which write these rows.
    await tx.insert(bootstraps).values(bootstrap);
    // Its simulated device sends nothing that can't be decoded.
    await tx.insert(deadLetters).values({
      tenantId: DEFAULT_TENANT,
      deviceId,
      path: '/dp',
      kind: 'payload',
      reason: 'malformed',
      bytes: Uint8Array.of(1),
      receivedAt: new Date(),
    });
    await tx.insert(registrationProblems).values({
      tenantId: DEFAULT_TENANT,
      deviceId,
      endpoint: 'urn:other',
      kind: 'ENDPOINT_MISMATCH',
      code: '4.00',
      reason: 'the endpoint name urn:other is not that of the device of the credential, urn:whole',
      address: '127.0.0.1:56830',
      network: '127.0.0.1',
      security: { kind: 'psk', name: 'urn:whole' },
      digest: 'one',
      count: 1,
      firstAt: new Date(),
      lastAt: new Date(),
    });
    await tx.insert(handshakes).values({
      tenantId: DEFAULT_TENANT,
      deviceId,
      credentialId: uuidOf(credential),
      at: new Date(),
      durationMs: 1,
      address: '127.0.0.1:56830',
      resumed: false,
      established: true,
    });
  });
  const waiting = (): Promise<string> =>
    made('callRpc', { deviceId: absent, method: 'reboot', mode: 'PERSISTENT' }, 'rpc');
  // Readings are stored in batches: ask until there is one.
  const points = '{ device(endpoint: "urn:whole") { telemetry { nodes { eventId } } } }';
  while (JSON.stringify(await api.data(points)).endsWith('[]}}}'));

  return {
    api,
    offered: {
      deviceId: () => device,
      'Query.node(id)': () => device,
      'Query.device(id)': () => device,
      'Query.deviceProfile(id)': () => profile,
      // Its first resource has labels.
      'Query.objectDefinition(objectId)': () => 3387,
      'Query.rpc(id)': () => failed,
      'Device.resource(path)': () => '/3303/0/5700',
      'Subscription.resourceChanged(deviceId)': () => device,
      'Subscription.resourceChanged(paths)': () => ['/3303/0/5700'],
      'Subscription.rpcChanged(id)': () => failed,
      'AddTrustAnchorInput.certificate': newCertificate,
      'CallRpcInput.method': () => 'resetMeasured',
      'CancelObservationInput.paths': async () => {
        await done('observeResources', { deviceId: device, paths: ['/3303/0/5601'] });
        return ['/3303/0/5601'];
      },
      'CancelRpcInput.id': waiting,
      // A device that gets a credential can no longer register without.
      'CreateBootstrapCredentialInput.deviceId': newDevice,
      'CreateCredentialInput.deviceId': newDevice,
      'CreateBootstrapCredentialInput.credential': () => ({ psk: {} }),
      'CreateCredentialInput.credential': () => ({ psk: {} }),
      'CreateInstanceInput.objectId': () => 3303,
      'CreateInstanceInput.values': () => [],
      'DeleteDeviceInput.id': newDevice,
      'DeleteDeviceProfileInput.id': newProfile,
      'DeleteInstanceInput.path': () => '/3303/99',
      'DeleteObjectDefinitionInput.objectId': async () => {
        await done('uploadObjectDefinition', { xml: objectXml([26241]) });
        return 26241;
      },
      'DeleteObjectDefinitionInput.version': () => '1.0',
      'DeleteRegistrationProfileInput.profileId': async () => {
        const profileId = `v:${name()}`;
        await done('setRegistrationProfile', { profileId, links: '</3/0>' });
        return profileId;
      },
      'ExecuteResourceInput.path': () => '/3303/0/5605',
      'MetricMappingInput.metric': () => 'temperature',
      'MetricMappingInput.path': () => '/3303/0/5700',
      'RemoveTrustAnchorInput.id': newAnchor,
      'RevokeApiKeyInput.id': () => made('createApiKey', { name: name(), role: 'VIEWER' }),
      'RevokeCertificateInput.fingerprint': () => randomBytes(32).toString('hex'),
      'RevokeCredentialInput.id': newCredential,
      'RevokeFactoryCredentialInput.id': newFactoryCredential,
      'RotateCredentialInput.id': newCredential,
      'RpcMethodInput.operation': () => 'READ',
      'RpcMethodInput.path': () => '/3/0/9',
      'SetBootstrapPlanInput.deviceId': () => absent,
      'SetBootstrapPlanInput.plan': () => plan,
      'SetRegistrationProfileInput.profileId': () => `v:${name()}`,
      'SetRegistrationProfileInput.links': () => '</3/0>',
      'UpdateDeviceInput.id': () => device,
      'UpdateDeviceProfileInput.id': newProfile,
      'UploadObjectDefinitionInput.xml': () => objectXml([26242]),
      'WriteAttributesInput.attributes': () => ({ pmin: 1 }),
      'WriteResourcesInput.values': () => [{ path: '/3/0/14', value: '+01:00' }],
    },
    errors: {
      ConflictError: { mutation: 'cancelRpc', input: () => ({ id: failed }) },
      DeviceUnreachableError: { mutation: 'callRpc', input: () => ({ deviceId: absent, method: 'reboot' }) },
      NotFoundError: { mutation: 'cancelRpc', input: () => ({ id: randomUUID() }) },
      ValidationError: { mutation: 'cancelRpc', input: () => ({ id: 'no id' }) },
    },
    events: {
      bootstrapChanged: () =>
        api.bus.publish('bootstrapChanged', DEFAULT_TENANT, { tenantId: DEFAULT_TENANT, bootstrap }),
      deviceChanged: () =>
        api.bus.publish('deviceChanged', `${DEFAULT_TENANT}/${deviceId}`, {
          tenantId: DEFAULT_TENANT,
          deviceId,
          changed: ['name'],
          at: new Date(),
        }),
      deviceStatusChanged: () =>
        api.bus.publish('deviceStatusChanged', DEFAULT_TENANT, {
          tenantId: DEFAULT_TENANT,
          deviceId,
          endpoint: 'urn:whole',
          status: 'ONLINE',
          previous: 'OFFLINE',
          reason: 'registered',
          lastSeen: null,
          at: new Date(),
        }),
      // These two begin with the present state.
      resourceChanged: () => undefined,
      rpcChanged: () => undefined,
      telemetry: () =>
        api.bus.publish('telemetry', `${DEFAULT_TENANT}/${deviceId}`, {
          eventId: randomUUID(),
          deviceId,
          tenantId: DEFAULT_TENANT,
          timestamp: new Date(),
          receivedAt: new Date(),
          numericValues: {},
          stringValues: {},
        }),
    },
  };
}

/** A bootstrap with a step, of a device that proved itself. */
function bootstrapOf(deviceId: DeviceId): Bootstrap {
  return {
    id: randomUUID(),
    tenantId: DEFAULT_TENANT,
    deviceId,
    endpoint: 'urn:whole',
    status: 'FINISHED',
    reason: null,
    pack: false,
    address: '127.0.0.1:56830',
    security: { kind: 'psk', name: 'urn:whole' },
    lwm2mVersion: '1.1',
    steps: [
      {
        operation: 'FINISH',
        path: '/bs',
        contentFormat: null,
        bytes: 0,
        code: '2.04',
        message: null,
        startedAt: Date.now(),
        endedAt: Date.now(),
      },
    ],
    startedAt: new Date(),
    endedAt: new Date(),
  };
}
