import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { udpPeer, type Peer } from '../../../src/coap/index.ts';
import { createBootstrapLookUp, createCredentialLookUp, createCredentials } from '../../../src/fleet/index.ts';
import type { Bootstrap, BootstrapPlan, Device, NewCredential } from '../../../src/fleet/index.ts';
import { planContext } from '../../../src/fleet/bootstrap/bootstrap-plans.ts';
import { matches } from '../../../src/fleet/bootstrap/factory-credentials.ts';
import { FreshCredentials } from '../../../src/fleet/bootstrap/fresh-credentials.ts';
import { deviceKey } from '../../../src/fleet/devices/device-key.ts';
import type { BootstrapAdmission, BootstrapConfiguration, Registration } from '../../../src/lwm2m/index.ts';
import { bootstrapPlans } from '../../../src/store/index.ts';
import { useStore } from '../../store/database.ts';
import { OURS } from './example-plan.ts';
import { ADMIN, fleetWorld, OTHER, otherTenant, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
let run = 0;

const LOOPBACK = udpPeer('127.0.0.1', 40_000);

beforeAll(async () => {
  world = await fleetWorld(store());
  await otherTenant(store());
});
afterAll(() => world.stop());

function proving(credential: string): Peer {
  return { ...udpPeer('192.0.2.9', 40_000), security: { kind: 'psk', name: 'somebody', credential } };
}

async function device(plan: BootstrapPlan | null = OURS): Promise<Device> {
  const made = await world.fleet.devices.provision(ADMIN, { endpoint: `bootstrapped-${run++}` });
  if (plan) await world.fleet.bootstraps.setPlan(ADMIN, { deviceId: made.id }, plan);
  return made;
}

function ask(endpoint: string | null, peer: Peer = LOOPBACK): Promise<BootstrapAdmission> {
  return world.bootstrapHandlers.admit({ endpoint, peer, pack: false });
}

/** What an admitted device is given. */
async function given(endpoint: string, peer: Peer = LOOPBACK): Promise<{ id: string } & BootstrapConfiguration> {
  const admission = await ask(endpoint, peer);
  if (!admission.admitted) throw new Error(admission.reason);
  return { id: admission.bootstrapId, ...admission.configuration };
}

function valueAt({ values }: BootstrapConfiguration, path: string): unknown {
  return values.find((value) => String(value.path) === path)?.value.value;
}

function identityIn(configuration: BootstrapConfiguration): string {
  return Buffer.from(valueAt(configuration, '/0/40/3') as Uint8Array).toString();
}

/** The valid credential of a PSK identity at the LwM2M server; null when there is none. */
async function counting(identity: string): Promise<string | null> {
  const { clock } = world.network;
  const lookUp = createCredentialLookUp({ store: store(), clock, seal: world.seal });
  return (await lookUp.psk(Buffer.from(identity)))?.credential ?? null;
}

/** The device registers over DTLS with the key of this identity. */
async function register({ tenantId, id }: Device, identity: string): Promise<void> {
  const { bus, seal, network } = world;
  const book = createCredentials({ store: store(), clock: network.clock, bus, seal });
  const credential = (await counting(identity)) ?? '';
  // Only the parts of a registration that the fleet reads.
  const registration = { deviceKey: deviceKey(tenantId, id), peer: proving(credential) } as Registration;
  await new FreshCredentials(store(), bus, network.clock, book).registered(registration, null);
}

async function records(known: Device): Promise<Bootstrap[]> {
  const { edges } = await world.fleet.bootstraps.page(ADMIN, { first: 100 }, { deviceId: known.id });
  return edges.map(({ node }) => node);
}

describe('a bootstrap', () => {
  it('gives the device its server and a fresh key, and is recorded without the key', async () => {
    const known = await device();
    const configuration = await given(known.endpoint);
    expect(configuration.deletes.map(String)).toEqual(['/0', '/1']);
    expect(valueAt(configuration, '/0/40/0')).toBe('coaps://lwm2m.example.com:5684');
    expect([valueAt(configuration, '/0/40/10'), valueAt(configuration, '/1/50/0')]).toEqual([7, 7]);
    expect([valueAt(configuration, '/1/50/1'), valueAt(configuration, '/1/50/7')]).toEqual([600, 'U']);
    const key = valueAt(configuration, '/0/40/5');
    const lookUp = createCredentialLookUp({ store: store(), clock: world.network.clock, seal: world.seal });
    expect(await lookUp.psk(Buffer.from(identityIn(configuration)))).toMatchObject({ key });
    const step = { path: '/0/1', contentFormat: 11542, bytes: 9, message: null, startedAt: 1, endedAt: 2 };
    await world.bootstrapHandlers.stepped(configuration.id, { ...step, operation: 'WRITE', code: '2.04' });
    await world.bootstrapHandlers.ended(configuration.id, { finished: true, lwm2mVersion: '1.1' });
    const [record] = await records(known);
    expect(record).toMatchObject({ status: 'FINISHED', endpoint: known.endpoint, lwm2mVersion: '1.1', security: null });
    expect(record?.steps).toEqual([{ ...step, operation: 'WRITE', code: '2.04' }]);
    const hex = Buffer.from(key as Uint8Array).toString('hex');
    expect(JSON.stringify(record)).not.toContain(hex);
  });

  it.each([16, 32])('gives fresh keys of %d bytes, where the plan says so', async (keyLength) => {
    const known = await device({
      ...OURS,
      keyLength,
      values: [
        { path: '/0/3/0', value: 'coaps://other' },
        { path: '/0/3/5', value: '{{psk}}' },
      ],
    });
    const configuration = await given(known.endpoint);
    expect(valueAt(configuration, '/0/40/5')).toHaveLength(keyLength);
    const fresh = ['/0/3/5', '/0/40/5'].map((path) => Buffer.from(valueAt(configuration, path) as Uint8Array));
    expect(fresh[0]).toEqual(fresh[1]);
  });

  it('uses a plan that an earlier version stored: its server has the instances 0', async () => {
    const known = await device();
    const { securityInstanceId, serverInstanceId, ...server } = OURS.server ?? {};
    expect([securityInstanceId, serverInstanceId]).toEqual([40, 50]);
    const { keyLength, ...earlier } = { ...OURS, server };
    expect(keyLength).toBe(32);
    await store().asTenant(known.tenantId, async (tx) => {
      const own = eq(bootstrapPlans.deviceId, known.id);
      const [row] = await tx.select({ id: bootstrapPlans.id }).from(bootstrapPlans).where(own);
      const sealedPlan = world.seal.close(Buffer.from(JSON.stringify(earlier)), planContext(row?.id ?? ''));
      await tx.update(bootstrapPlans).set({ sealedPlan }).where(own);
    });
    const configuration = await given(known.endpoint);
    expect(valueAt(configuration, '/0/0/5')).toHaveLength(32);
    expect(valueAt(configuration, '/1/0/0')).toBe(7);
  });

  it('keeps the old key until the device has registered with the new one', async () => {
    const known = await device();
    const first = identityIn(await given(known.endpoint));
    await world.network.clock.advance(1);
    const second = identityIn(await given(known.endpoint));
    expect(await Promise.all([first, second].map(counting))).not.toContain(null);
    await register(known, first);
    expect([await counting(first), await counting(second)]).not.toContain(null);
    await register(known, second);
    expect(await counting(first)).toBeNull();
    expect(await counting(second)).not.toBeNull();
  });

  it('keeps the keys that an admin created, before and after the device has registered with a new one', async () => {
    const known = await device();
    const { credential } = await world.fleet.credentials.create(ADMIN, known.id, { kind: 'psk', purpose: 'bootstrap' });
    const own = `own-${known.endpoint}`;
    await world.fleet.credentials.create(ADMIN, known.id, { kind: 'psk', identity: own });
    await world.network.clock.advance(1);
    const fresh = identityIn(await given(known.endpoint, proving(credential.id)));
    await register(known, fresh);
    expect(await Promise.all([own, fresh].map(counting))).not.toContain(null);
  });

  it('keeps only the keys of the last interrupted bootstraps', async () => {
    const known = await device();
    const identities: string[] = [];
    for (let times = 0; times < 6; times++) {
      identities.push(identityIn(await given(known.endpoint)));
      await world.network.clock.advance(1);
    }
    const counted = await Promise.all(identities.map(counting));
    expect(counted.map((credential) => credential !== null)).toEqual([false, false, true, true, true, true]);
  });

  it('ends as failed when the server restarts in the middle', async () => {
    const known = await device();
    await given(known.endpoint);
    const next = await fleetWorld(store());
    await next.stop();
    expect(await records(known)).toMatchObject([{ status: 'FAILED', reason: 'the server was restarted' }]);
  });

  it('fills in the placeholders of the plan, by the type of their resources', async () => {
    const known = await device({
      ...OURS,
      server: null,
      values: [
        { path: '/3/0/15', value: 'zone of {{endpoint}}' },
        { path: '/0/3/3', value: '{{pskIdentity}}' },
        { path: '/0/3/5', value: '{{psk}}' },
        { path: '/2/0', value: { '0': 3303, '1': 0, '3': 7 } },
        { path: '/2/0/2', value: { '7': 15 } },
      ],
    });
    const configuration = await given(known.endpoint);
    expect(valueAt(configuration, '/3/0/15')).toBe(`zone of ${known.endpoint}`);
    expect(Buffer.from(valueAt(configuration, '/0/3/3') as Uint8Array).toString()).toContain(known.endpoint);
    expect(valueAt(configuration, '/0/3/5')).toHaveLength(32);
    expect(valueAt(configuration, '/2/0/2/7')).toBe(15);
  });

  it('is published as it happens', async () => {
    const known = await device();
    const heard = world.bus.subscribe('bootstrapChanged', deviceKey(known.tenantId, known.id));
    const { id } = await given(known.endpoint);
    await world.bootstrapHandlers.ended(id, { finished: false, reason: 'silence' });
    const statuses: string[] = [];
    for await (const event of heard) {
      if (event.kind === 'event') statuses.push(event.value.bootstrap.status);
      if (statuses.length === 2) break;
    }
    expect(statuses).toEqual(['RUNNING', 'FAILED']);
  });
});

describe('a bootstrap is refused', () => {
  it('without security, unless it comes from this machine', async () => {
    const known = await device();
    const refused = await ask(known.endpoint, udpPeer('192.0.2.9', 40_000));
    expect(refused).toEqual({ admitted: false, code: '4.00', reason: expect.stringContaining('this machine only') });
  });

  it.each([null, '', 'a\0b'])('for the endpoint name %j', async (endpoint) => {
    expect(await ask(endpoint)).toMatchObject({ admitted: false, code: '4.00' });
  });

  it('without a plan, with the reason on the device', async () => {
    const known = await device(null);
    expect(await ask(known.endpoint)).toMatchObject({ admitted: false, code: '4.00' });
    expect(await records(known)).toMatchObject([
      { status: 'REFUSED', reason: 'neither the device nor its profile has a bootstrap plan: set one' },
    ]);
  });

  it('without security for a device that has a bootstrap credential', async () => {
    const known = await device();
    const psk: NewCredential = { kind: 'psk', purpose: 'bootstrap' };
    const { credential } = await world.fleet.credentials.create(ADMIN, known.id, psk);
    expect(await ask(known.endpoint)).toMatchObject({ admitted: false });
    expect(await ask(known.endpoint, proving(credential.id))).toMatchObject({ admitted: true });
    expect(await ask(null, proving(credential.id))).toMatchObject({ admitted: true });
    expect(await ask('another', proving(credential.id))).toMatchObject({ admitted: false, code: '4.00' });
    const reason = `the endpoint name another is not that of the device of the credential, ${known.endpoint}`;
    expect((await records(known))[0]).toMatchObject({ status: 'REFUSED', endpoint: 'another', reason });
  });

  it.each<NewCredential['purpose']>(['lwm2m', 'bootstrap'])(
    'without security for a device that has, or had, a credential for %s',
    async (purpose) => {
      const known = await device();
      const { credential } = await world.fleet.credentials.create(ADMIN, known.id, { kind: 'psk', purpose });
      const refused = { admitted: false, code: '4.00', reason: expect.stringContaining('credentials') };
      expect(await ask(known.endpoint)).toEqual(refused);
      await world.fleet.credentials.revoke(ADMIN, credential.id);
      expect(await ask(known.endpoint)).toEqual(refused);
    },
  );

  it('without security for a device that already finished a bootstrap or registered with its key', async () => {
    const finished = await device();
    const { id } = await given(finished.endpoint);
    await world.bootstrapHandlers.ended(id, { finished: true, lwm2mVersion: '1.1' });
    expect(await ask(finished.endpoint)).toMatchObject({ admitted: false });
    const registered = await device();
    await register(registered, identityIn(await given(registered.endpoint)));
    expect(await ask(registered.endpoint)).toMatchObject({ admitted: false });
  });

  it('without security where the setting turns it off', async () => {
    const known = await device();
    const strict = await fleetWorld(store(), { noSecBootstrap: false });
    const request = { endpoint: known.endpoint, peer: LOOPBACK, pack: false };
    const reason = expect.stringContaining('TREELINE_NOSEC_BOOTSTRAP');
    expect(await strict.bootstrapHandlers.admit(request)).toEqual({ admitted: false, code: '4.00', reason });
    await strict.stop();
  });

  it('with a credential of the LwM2M server; the LwM2M server refuses a bootstrap credential', async () => {
    const known = await device();
    const { credential } = await world.fleet.credentials.create(ADMIN, known.id, { kind: 'psk' });
    expect(await ask(known.endpoint, proving(credential.id))).toMatchObject({ admitted: false });
    await world.fleet.credentials.create(ADMIN, known.id, { kind: 'psk', purpose: 'bootstrap', identity: 'only-bs' });
    expect(await counting('only-bs')).toBeNull();
  });
});

describe('a factory credential', () => {
  const expiresAt = new Date(Date.UTC(2027, 0, 1));

  async function factory(endpointPattern: string, mostDevices = 2): Promise<{ id: string; identity: string }> {
    const input = { name: 'batch', identity: `factory-${run++}`, endpointPattern, mostDevices, expiresAt };
    const { credential } = await world.fleet.bootstraps.createFactoryCredential(ADMIN, input);
    await world.fleet.bootstraps.setPlan(ADMIN, { profileId: credential.profileId }, OURS);
    return credential;
  }

  it('has a key of the length that was asked for', async () => {
    const input = { name: 'batch', endpointPattern: '*', mostDevices: 1, expiresAt };
    const made = (more: object) =>
      world.fleet.bootstraps.createFactoryCredential(ADMIN, { ...input, identity: `length-${run++}`, ...more });
    expect((await made({})).keyHex).toHaveLength(64);
    expect((await made({ keyLength: 16 })).keyHex).toHaveLength(32);
    await expect(made({ keyLength: 24 })).rejects.toMatchObject({ code: 'VALIDATION', field: ['keyLength'] });
  });

  it('makes a device for an unknown endpoint that matches its pattern, and bootstraps it again', async () => {
    const { id } = await factory('urn:batch-a:*');
    expect(await ask('urn:batch-a:1', proving(id))).toMatchObject({ admitted: true });
    expect(await ask('urn:batch-a:1', proving(id))).toMatchObject({ admitted: true });
    expect(await world.fleet.devices.get(ADMIN, { endpoint: 'urn:batch-a:1' })).not.toBeNull();
    expect(await ask('urn:batch-b:1', proving(id))).toMatchObject({ admitted: false });
    expect(await ask('urn:batch-a:2', proving(id))).toMatchObject({ admitted: true });
    expect(await ask('urn:batch-a:3', proving(id))).toMatchObject({
      admitted: false,
      reason: 'the factory credential has reached its limit of 2 devices',
    });
  });

  it('does not bootstrap a device that has a credential of its own', async () => {
    const { id } = await factory('bootstrapped-*');
    const known = await device();
    const { credential } = await world.fleet.credentials.create(ADMIN, known.id, { kind: 'psk' });
    const refused = { admitted: false, reason: 'the device has a credential of its own' };
    expect(await ask(known.endpoint, proving(id))).toMatchObject(refused);
    // A stolen device can't return with the key that its whole batch shares.
    await world.fleet.credentials.revoke(ADMIN, credential.id);
    expect(await ask(known.endpoint, proving(id))).toMatchObject(refused);
  });

  it('is not shadowed by a later bootstrap credential of another tenant with its identity, nor shadows an earlier', async () => {
    const { id, identity } = await factory('*');
    const parts = { store: store(), clock: world.network.clock, seal: world.seal };
    const found = (of: string): Promise<unknown> => createBootstrapLookUp(parts).psk(Buffer.from(of));
    const known = await device();
    const make = (of: string): Promise<unknown> =>
      world.fleet.credentials.create(ADMIN, known.id, { kind: 'psk', purpose: 'bootstrap', identity: of });
    await world.network.clock.advance(1_000);
    await make(identity);
    expect(await found(identity)).toMatchObject({ credential: id });
    const earlier = `factory-${run}`;
    await make(earlier);
    await world.network.clock.advance(1_000);
    const later = await factory('*');
    expect(later.identity).toBe(earlier);
    expect(await found(earlier)).not.toMatchObject({ credential: later.id });
  });

  it('adds no more devices than its limit, however many claim at the same time', async () => {
    const [run] = [`race-${Date.now()}`];
    const { credential } = await world.fleet.bootstraps.createFactoryCredential(ADMIN, {
      name: run,
      identity: run,
      endpointPattern: `${run}-*`,
      mostDevices: 2,
      expiresAt,
    });
    const profileId = credential.profileId;
    await world.fleet.bootstraps.setPlan(ADMIN, { profileId }, OURS);
    const claims = Array.from({ length: 10 }, (_, at) => ask(`${run}-${at}`, proving(credential.id)));
    const admitted = (await Promise.all(claims)).filter((admission) => admission.admitted);
    expect(admitted).toHaveLength(2);
    expect(await world.fleet.devices.count(ADMIN, { search: run })).toBe(2);
  });

  it('is valid until it is revoked', async () => {
    const { id, identity } = await factory('*');
    const parts = { store: store(), clock: world.network.clock, seal: world.seal };
    const found = (): Promise<unknown> => createBootstrapLookUp(parts).psk(Buffer.from(identity));
    expect(await found()).toMatchObject({ credential: id });
    await expect(world.fleet.bootstraps.revokeFactoryCredential(OTHER, id)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await world.fleet.bootstraps.revokeFactoryCredential(ADMIN, id);
    expect(await found()).toBeNull();
    expect(await ask('anybody', proving(id))).toMatchObject({ admitted: false });
  });

  it.each([
    ['urn:imei:35*', 'urn:imei:351', true],
    ['urn:imei:35*', 'urn:imei:361', false],
    ['*-lab', 'x-lab', true],
    ['a*b*c', 'a1b2c', true],
    ['a*b*c', 'a1c', false],
    ['ab*ba', 'aba', false],
    ['exact', 'exact', true],
    ['exact', 'exactly', false],
  ])('with the pattern %s and the endpoint %s: %s', (pattern, endpoint, expected) => {
    expect(matches(pattern, endpoint)).toBe(expected);
  });
});
