import { randomUUID } from 'node:crypto';
import { getNamedType, isObjectType, type GraphQLField } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../../schema/index.ts';
import { DEFAULT_TENANT, type Bootstrap, type TenantId } from '../../../src/fleet/index.ts';
import { Path } from '../../../src/lwm2m/index.ts';
import { registrationProblems } from '../../../src/store/index.ts';
import type { SimulatedDevice } from '../../../src/simulator/index.ts';
import { certify } from '../../dtls/certificates.ts';
import { OTHER } from '../../fleet/fleet-world.ts';
import { objectXml } from '../../lwm2m/object-xml.ts';
import { apiWorld, next, type ApiWorld } from '../../server/api-world.ts';
import { useStore } from '../../store/database.ts';
import { wholeSelection } from '../whole-selection.ts';

const store = useStore();
let world: ApiWorld;
let theirDevice: SimulatedDevice;
/** Global ids of the second tenant's objects. */
let theirs: { device: string; profile: string; rpc: string; key: string; waiting: string };
/** Ids of objects that are not nodes. */
let theirCredential: string;
let theirAnchor: string;
let theirFactoryCredential: string;
/** A text that is in all data of the second tenant, and in no other data. */
const marks: string[] = ['globex', 'secret-of-globex', '77.125'];

const uuidOf = (id: string): string => Buffer.from(id, 'base64url').toString().split(':')[1] ?? '';

beforeAll(async () => {
  world = await apiWorld(store(), {
    limits: { complexity: 1_000_000_000, depth: 100, tokens: 200_000 },
  });
  const ours = await world.device('urn:ours');
  theirDevice = await world.otherDevice('urn:secret-of-globex');
  const { other } = world.tokens;
  const make = async (mutation: string, variables: object = {}): Promise<string> => {
    const made = await world.data<Record<string, { id?: string; one?: { id: string } }>>(mutation, variables, other);
    const [result] = Object.values(made);
    const id = result?.one?.id ?? result?.id;
    if (id === undefined) throw new Error(`not made: ${JSON.stringify(made)}`);
    return id;
  };
  const { device } = await world.data<{ device: { id: string } }>(
    '{ device(endpoint: "urn:secret-of-globex") { id } }',
    {},
    other,
  );
  const profile = await make(`mutation { createDeviceProfile(input: {
      name: "secret-of-globex", offlineAfter: 9999, awakeTime: 77,
      mappings: [{ path: "/3303/0/5700", metric: "secret-of-globex", kind: NUMERIC, attributes: { pmin: 0, pmax: 999, gt: 1, lt: 0, st: 0.1 } }]
      methods: [{ name: "secret-of-globex", operation: EXECUTE, path: "/3/0/4" }] }) {
    ... on CreateDeviceProfilePayload { one: profile { id } } ... on UserError { message } } }`);
  await make(
    `mutation ($id: ID!, $profile: ID!) { updateDevice(input: { id: $id, profileId: $profile, name: "secret-of-globex", tags: ["secret-of-globex"] }) {
    ... on UpdateDevicePayload { one: device { id } } ... on UserError { message } } }`,
    { id: device.id, profile },
  );
  const rpc = await make(
    `mutation ($id: ID!) { readResources(input: { deviceId: $id, paths: ["/3/0", "/3303/0"], idempotencyKey: "secret-of-globex" }) {
    ... on ReadResourcesPayload { one: rpc { id } } ... on UserError { message } } }`,
    { id: device.id },
  );
  await make(
    `mutation ($id: ID!) { observeResources(input: { deviceId: $id, paths: ["/3/0/9"] }) {
    ... on ObserveResourcesPayload { one: rpc { id } } ... on UserError { message } } }`,
    { id: device.id },
  );
  const key = await make(
    'mutation { createApiKey(input: { name: "secret-of-globex", role: VIEWER }) { ... on CreateApiKeyPayload { id } } }',
  );
  await world.data(
    `mutation ($xml: String!) { uploadObjectDefinition(input: { xml: $xml }) { __typename }
      setRegistrationProfile(input: { profileId: "v:secret-of-globex", links: "</3/0>" }) { __typename } }`,
    { xml: objectXml([26241], { name: 'secret-of-globex' }) },
    other,
  );
  // This RPC waits, so that it could be cancelled.
  const absent = await make(
    'mutation { provisionDevice(input: { endpoint: "urn:secret-of-globex:absent" }) { ... on ProvisionDevicePayload { one: device { id } } ... on UserError { message } } }',
  );
  const waiting = await make(
    'mutation ($id: ID!) { callRpc(input: { deviceId: $id, method: "reboot", mode: PERSISTENT }) { ... on CallRpcPayload { one: rpc { id } } ... on UserError { message } } }',
    { id: absent },
  );
  theirCredential = await make(
    'mutation ($id: ID!) { createCredential(input: { deviceId: $id, credential: { psk: {} } }) { ... on CreateCredentialPayload { one: credential { id } } ... on UserError { message } } }',
    { id: absent },
  );
  const { certificate } = certify('secret-of-globex', null, { notBefore: Date.now(), notAfter: Date.now() + 60_000 });
  theirAnchor = await make(
    'mutation ($certificate: String!) { addTrustAnchor(input: { name: "secret-of-globex", certificate: $certificate }) { ... on AddTrustAnchorPayload { one: trustAnchor { id } } ... on UserError { message } } }',
    { certificate: certificate.toString('base64') },
  );
  theirFactoryCredential = await make(
    'mutation { createFactoryCredential(input: { name: "secret-of-globex", identity: "secret-of-globex", endpointPattern: "*", mostDevices: 1, expiresAt: "2100-01-01T00:00:00Z" }) { ... on CreateFactoryCredentialPayload { one: factoryCredential { id } } ... on UserError { message } } }',
  );
  await world.data(
    `mutation ($id: ID!) { setBootstrapPlan(input: { profileId: $id, plan: {
      server: { uri: "coaps://secret-of-globex" }, values: [{ path: "/3/0/15", value: "secret-of-globex" }] } }) { __typename } }`,
    { id: profile },
    other,
  );
  await store().asTenant(OTHER.tenantId, (tx) =>
    tx.insert(registrationProblems).values({
      tenantId: OTHER.tenantId,
      deviceId: uuidOf(device.id),
      endpoint: 'secret-of-globex',
      kind: 'ENDPOINT_MISMATCH',
      code: '4.00',
      reason: 'secret-of-globex',
      address: '127.0.0.1:56830',
      network: '127.0.0.1',
      security: null,
      digest: 'secret-of-globex',
      count: 1,
      firstAt: new Date(),
      lastAt: new Date(),
    }),
  );
  marks.push(theirCredential, theirAnchor, theirFactoryCredential);
  theirs = { device: device.id, profile, rpc, key, waiting };
  marks.push(...Object.values(theirs).flatMap((id) => [id, uuidOf(id)]));
  theirDevice.tree.set(Path.of(3303, 0, 5700), { type: 'Float', value: 77.125 });
  // Data of the first tenant, so that its results are not empty.
  await world.data(
    'mutation ($id: ID!) { readResources(input: { deviceId: $id, paths: ["/3303/0"] }) { __typename } }',
    {
      id: (await world.data<{ device: { id: string } }>('{ device(endpoint: "urn:ours") { id } }')).device.id,
    },
  );
  expect(ours.location).not.toBeNull();
});
afterAll(() => world.stop());

const PAGE = 'first: 3';
const NESTED: Readonly<Record<string, string>> = {
  'Device.resource': 'path: "/3303/0/5700"',
  'Device.resources': 'paths: ["/3", "/3303/*/5700"]',
};
const argumentsOf = (coordinate: string, { args }: { args: readonly { name: string }[] }): string =>
  NESTED[coordinate] ?? (args.some(({ name }) => name === 'first') ? PAGE : '');

/** For each query, arguments that would return data of the second tenant. */
const QUERIES: Readonly<Record<string, () => string[]>> = {
  node: () => Object.values(theirs).map((id) => `id: "${id}"`),
  viewer: () => [''],
  apiKeys: () => [''],
  device: () => [`id: "${theirs.device}"`, `id: "${uuidOf(theirs.device)}"`, 'endpoint: "urn:secret-of-globex"'],
  devices: () => [
    PAGE,
    `${PAGE}, filter: { ids: ["${theirs.device}"] }`,
    `${PAGE}, filter: { profileId: "${theirs.profile}" }`,
    `${PAGE}, filter: { tags: ["secret-of-globex"] }`,
    `${PAGE}, filter: { search: "globex" }`,
  ],
  deviceProfile: () => [`id: "${theirs.profile}"`, `id: "${uuidOf(theirs.profile)}"`],
  deviceProfiles: () => [PAGE],
  trustAnchors: () => [''],
  factoryCredentials: () => [''],
  bootstraps: () => [PAGE],
  objectDefinition: () => ['objectId: 26241'],
  objectDefinitions: () => [PAGE, `${PAGE}, search: "globex"`],
  registrationProblems: () => [PAGE, `${PAGE}, kind: [ENDPOINT_MISMATCH]`],
  registrationProfiles: () => [PAGE],
  rpc: () => [`id: "${theirs.rpc}"`, `id: "${theirs.waiting}"`],
};

/** For each mutation, inputs that would change the second tenant; empty if the input names no existing object. */
const MUTATIONS: Readonly<Record<string, () => string>> = {
  provisionDevice: () => `endpoint: "urn:thief", profileId: "${theirs.profile}"`,
  updateDevice: () => `id: "${theirs.device}", name: "stolen"`,
  deleteDevice: () => `id: "${theirs.device}"`,
  createDeviceProfile: () => '',
  updateDeviceProfile: () => `id: "${theirs.profile}", name: "stolen"`,
  deleteDeviceProfile: () => `id: "${theirs.profile}"`,
  uploadObjectDefinition: () => '',
  deleteObjectDefinition: () => 'objectId: 26241, version: "1.0"',
  setRegistrationProfile: () => '',
  deleteRegistrationProfile: () => 'profileId: "v:secret-of-globex"',
  createApiKey: () => '',
  revokeApiKey: () => `id: "${theirs.key}"`,
  createCredential: () => `deviceId: "${theirs.device}", credential: { psk: {} }`,
  rotateCredential: () => `id: "${theirCredential}", overlapSeconds: 0`,
  revokeCredential: () => `id: "${theirCredential}"`,
  addTrustAnchor: () => '',
  removeTrustAnchor: () => `id: "${theirAnchor}"`,
  revokeCertificate: () => '',
  createFactoryCredential: () => '',
  revokeFactoryCredential: () => `id: "${theirFactoryCredential}"`,
  createBootstrapCredential: () => `deviceId: "${theirs.device}", credential: { psk: {} }`,
  setBootstrapPlan: () => `profileId: "${theirs.profile}"`,
  requestBootstrap: () => `deviceId: "${theirs.device}"`,
  callRpc: () => `deviceId: "${theirs.device}", method: "reboot"`,
  cancelRpc: () => `id: "${theirs.waiting}"`,
  readResources: () => `deviceId: "${theirs.device}", paths: ["/3303/0/5700"]`,
  writeResources: () => `deviceId: "${theirs.device}", values: [{ path: "/3/0/14", value: "+09:00" }]`,
  executeResource: () => `deviceId: "${theirs.device}", path: "/3/0/4"`,
  createInstance: () => `deviceId: "${theirs.device}", objectId: 3303, values: []`,
  deleteInstance: () => `deviceId: "${theirs.device}", path: "/3303/0"`,
  discoverResources: () => `deviceId: "${theirs.device}", path: "/3303"`,
  writeAttributes: () => `deviceId: "${theirs.device}", path: "/3303", attributes: { pmin: 1 }`,
  observeResources: () => `deviceId: "${theirs.device}", paths: ["/3303/0/5601"]`,
  cancelObservation: () => `deviceId: "${theirs.device}", paths: ["/3/0/9"]`,
};

/** For each subscription, arguments that would deliver events of the second tenant: its ids, or no arguments. */
const SUBSCRIPTIONS: Readonly<Record<string, () => { named: string[]; open: string | null }>> = {
  resourceChanged: () => ({
    named: [`deviceId: "${theirs.device}"`, `deviceId: "${theirs.device}", paths: ["/3303/0/5700"]`],
    open: null,
  }),
  deviceChanged: () => ({ named: [`deviceId: "${theirs.device}"`], open: '' }),
  deviceStatusChanged: () => ({ named: [], open: '' }),
  rpcChanged: () => ({ named: [`id: "${theirs.waiting}"`, `deviceId: "${theirs.device}"`], open: '' }),
  bootstrapChanged: () => ({ named: [`deviceId: "${theirs.device}"`], open: '' }),
  telemetry: () => ({ named: [`deviceId: "${theirs.device}"`], open: '' }),
};

/** A bootstrap that was refused, of a device that no tenant has. */
function bootstrapOf(tenantId: TenantId): Bootstrap {
  return {
    id: randomUUID(),
    tenantId,
    deviceId: null,
    endpoint: tenantId === DEFAULT_TENANT ? 'urn:ours' : 'secret-of-globex',
    status: 'REFUSED',
    reason: null,
    pack: false,
    address: '127.0.0.1:5683',
    security: null,
    lwm2mVersion: null,
    steps: [],
    startedAt: new Date(),
    endedAt: new Date(),
  };
}

function fieldsOf(root: string) {
  const type = schema.getType(root);
  return isObjectType(type) ? Object.values(type.getFields()) : [];
}

function marksIn(answer: unknown): string[] {
  const text = JSON.stringify(answer);
  return marks.filter((mark) => text.includes(mark));
}

/** All data that the second tenant sees. It must be the same before and after the attempts of others. */
async function allOfSecondTenant(): Promise<unknown> {
  const query = `{ apiKeys { id name } trustAnchors { id } factoryCredentials { id revokedAt }
    objectDefinition(objectId: 26241) { name } registrationProfiles { nodes { profileId links } }
    deviceProfiles { edges { node { name bootstrapPlan { server { uri } } } } }
    devices { edges { node { endpoint name tags observations { paths } credentials { id expiresAt revokedAt } rpcs { edges { node { id status } } } } } } }`;
  return world.data(query, {}, world.tokens.other);
}

const selected = new Set<string>();
const select = (field: Pick<GraphQLField<unknown, unknown>, 'type'>, above: string): string =>
  wholeSelection(getNamedType(field.type), argumentsOf, selected, [above]);

describe('data of another tenant', () => {
  it('is returned to that tenant by every query that can, so that the marks of this test appear', async () => {
    const seen: string[] = [];
    for (const field of fieldsOf('Query')) {
      for (const asked of QUERIES[field.name]?.() ?? []) {
        const { body } = await world.ask(
          `{ ${field.name}${asked && `(${asked})`} ${select(field, 'Query')} }`,
          {},
          world.tokens.other,
        );
        seen.push(...marksIn(body.data));
      }
    }
    // Keys are not nodes; the query returns only their ids and names.
    expect([...new Set(seen)].sort()).toEqual([...marks].sort());
  });

  it.each(fieldsOf('Query').map((field) => [field.name, field] as const))(
    'is not returned by the query %s',
    async (name, field) => {
      const attempts = QUERIES[name]?.() ?? [];
      expect(attempts).not.toEqual([]);
      selected.add(`Query.${name}`);
      for (const asked of attempts) {
        const { body } = await world.ask(`{ ${name}${asked && `(${asked})`} ${select(field, 'Query')} }`);
        // An error may repeat the input; it must then be the error for an object that does not exist.
        for (const { extensions } of body.errors ?? []) expect(extensions?.['code']).toMatch(/VALIDATION|NOT_FOUND/);
        expect(marksIn(body.data)).toEqual([]);
      }
    },
  );

  it.each(fieldsOf('Mutation').map((field) => [field.name, field] as const))(
    'is not changed by %s, which returns the error for an unknown id',
    async (name, field) => {
      const input = MUTATIONS[name];
      expect(input).toBeDefined();
      const asked = input?.() ?? '';
      selected.add(`Mutation.${name}`);
      const selection = select(field, 'Mutation');
      if (asked === '') return;
      const before = await allOfSecondTenant();
      const { body } = await world.ask(`mutation { ${name}(input: { ${asked} }) ${selection} }`);
      expect(body.errors).toBeUndefined();
      const result = body.data?.[name] as { __typename: string };
      expect(result.__typename).toBe(name === 'provisionDevice' ? 'ValidationError' : 'NotFoundError');
      expect(marksIn(result).filter((mark) => !asked.includes(mark))).toEqual([]);
      expect(await allOfSecondTenant()).toEqual(before);
    },
  );

  it.each(fieldsOf('Subscription').map((field) => [field.name, field] as const))(
    'is not delivered by the subscription %s',
    async (name, field) => {
      const attempt = SUBSCRIPTIONS[name]?.();
      expect(attempt).toBeDefined();
      selected.add(`Subscription.${name}`);
      const selection = select(field, 'Subscription');
      for (const asked of attempt?.named ?? []) {
        const result = await next(world.overSse(`subscription { ${name}(${asked}) ${selection} }`));
        expect(result.errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND' });
        expect(result.data ?? null).toBeNull();
      }
    },
  );

  it('is not delivered by a subscription without arguments while events of both tenants occur', async () => {
    const open = fieldsOf('Subscription').filter(({ name }) => SUBSCRIPTIONS[name]?.().open !== null);
    const query = ({ name, type }: (typeof open)[number]): string =>
      `subscription { ${name} ${select({ type }, 'Subscription')} }`;
    const ours = open.map((field) => world.overSse(query(field)));
    const theirsToo = open.map((field) => world.overSse(query(field), {}, world.tokens.other));
    const [heardByUs, heardByThem] = [ours.map(next), theirsToo.map(next)];
    while (world.server.snapshot().sessions < 2 * open.length) await new Promise((resolve) => setImmediate(resolve));
    // A status, a telemetry point and an RPC of the second tenant, which the second tenant receives...
    theirDevice.tree.set(Path.of(3303, 0, 5700), { type: 'Float', value: 77.25 });
    await world.data(
      'mutation ($id: ID!) { callRpc(input: { deviceId: $id, method: "secret-of-globex" }) { __typename } }',
      { id: theirs.device },
      world.tokens.other,
    );
    await world.data(
      'mutation { provisionDevice(input: { endpoint: "urn:secret-of-globex:new" }) { __typename } }',
      {},
      world.tokens.other,
    );
    await world.data(
      'mutation ($id: ID!) { updateDevice(input: { id: $id, name: "again secret-of-globex" }) { __typename } }',
      { id: theirs.device },
      world.tokens.other,
    );
    world.bus.publish('bootstrapChanged', 'globex', {
      tenantId: OTHER.tenantId,
      bootstrap: bootstrapOf(OTHER.tenantId),
    });
    for (const result of await Promise.all(heardByThem)) expect(marksIn(result)).not.toEqual([]);
    // ...and then the same of the first tenant, which must be the first events that it receives.
    const { device } = await world.data<{ device: { id: string } }>('{ device(endpoint: "urn:ours") { id } }');
    await world.data('mutation { provisionDevice(input: { endpoint: "urn:ours:new" }) { __typename } }');
    await world.data(`mutation ($id: ID!) { callRpc(input: { deviceId: $id, method: "reboot" }) { __typename } }`, {
      id: device.id,
    });
    await world.data('mutation ($id: ID!) { updateDevice(input: { id: $id, name: "ours" }) { __typename } }', {
      id: device.id,
    });
    world.bus.publish('bootstrapChanged', DEFAULT_TENANT, {
      tenantId: DEFAULT_TENANT,
      bootstrap: bootstrapOf(DEFAULT_TENANT),
    });
    for (const result of await Promise.all(heardByUs))
      expect([result.errors, marksIn(result)]).toEqual([undefined, []]);
    for (const results of [...ours, ...theirsToo]) await results.return?.();
  });

  it('was searched for in every field of the schema', () => {
    const all = Object.values(schema.getTypeMap())
      .filter(isObjectType)
      .filter(({ name }) => !name.startsWith('__'))
      .flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`));
    expect(all.filter((coordinate) => !selected.has(coordinate))).toEqual([]);
  });
});
