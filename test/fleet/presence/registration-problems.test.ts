import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type DeviceId, type RegistrationProblem } from '../../../src/fleet/index.ts';
import { udpPeer, type Peer } from '../../../src/coap/index.ts';
import type { RefusedRegistration } from '../../../src/lwm2m/index.ts';
import { registrationProblems } from '../../../src/store/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, OTHER, otherTenant, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
let run = 0;

beforeAll(() => otherTenant(store()));
afterEach(() => world.stop());

async function begin(options: Parameters<typeof fleetWorld>[1] = {}): Promise<void> {
  world = await fleetWorld(store(), options);
}

/** The problems after the next write, the newest first. */
async function problems(actor = ADMIN, deviceId?: DeviceId): Promise<RegistrationProblem[]> {
  await world.advance(2_000);
  const { edges } = await world.fleet.registrationProblems.page(actor, { first: 100 }, deviceId ? { deviceId } : {});
  return edges.map(({ node }) => node);
}

describe('a refused Register', () => {
  it('is recorded for its tenant, once with a count, if no device has the endpoint name', async () => {
    await begin({ autoProvision: false });
    const endpoint = `stranger-${run++}`;
    const device = world.device();
    for (let times = 0; times < 3; times++) {
      expect(await device.register(endpoint)).toBe('4.03');
      await world.advance(1_100);
    }
    const mine = (await problems()).filter((problem) => problem.endpoint === endpoint);
    expect(mine).toMatchObject([
      { deviceId: null, kind: 'UNKNOWN_ENDPOINT', code: '4.03', reason: 'no such endpoint', security: null, count: 3 },
    ]);
    expect(mine[0]?.lastAt.getTime()).toBeGreaterThan(mine[0]?.firstAt.getTime() ?? Infinity);
    expect((await problems(OTHER)).filter((problem) => problem.endpoint === endpoint)).toEqual([]);
    expect(world.snapshot().registrationProblems).toMatchObject({ counts: { UNKNOWN_ENDPOINT: 3 }, leftOut: 0 });
  });

  it.each([
    ['a parameter that is wrong', ['lt=x'], '</3/0>', 'MALFORMED', '4.00'],
    ['a list of objects that is wrong', ['lt=300'], '</3', 'MALFORMED', '4.00'],
    ['a version that there is not', ['lt=300', 'lwm2m=9.9'], '</3/0>', 'UNSUPPORTED', '4.12'],
  ])('is recorded on the device of its endpoint name: %s', async (_what, query, links, kind, code) => {
    await begin();
    const { id, endpoint } = await world.fleet.devices.provision(ADMIN, { endpoint: `wrong-${run++}` });
    const { scripted } = world.device();
    const version = query.length === 1 ? ['lwm2m=1.1'] : [];
    const register = { method: 'POST', path: '/rd', contentFormat: 40, payload: links } as const;
    scripted.send({ ...register, query: [`ep=${endpoint}`, ...version, ...query] });
    expect(await problems(ADMIN, id)).toMatchObject([{ endpoint, kind, code, reason: expect.stringMatching(/./) }]);
  });

  it('with another endpoint name is recorded on the device of the credential, with both names', async () => {
    const own = `meter-${run++}`;
    await begin();
    const made = await world.fleet.devices.provision(ADMIN, { endpoint: own });
    const { credential } = await world.fleet.credentials.create(ADMIN, made.id, { kind: 'psk', identity: own });
    await world.stop();
    const holder = { credentialId: credential.id, tenantId: DEFAULT_TENANT, deviceId: made.id, endpoint: own };
    const holders = async (): Promise<Map<string, typeof holder>> => new Map([[credential.id, holder]]);
    await begin({ credentials: { holders, secured: async () => new Set() } });
    const peer: Peer = {
      ...udpPeer('192.0.2.9', 40_000),
      security: { kind: 'psk', name: own, credential: credential.id },
    };
    const admission = await world.handlers.admit({ endpoint: 'meter-next', lwm2mVersion: '1.1', peer });
    if (admission.admitted) throw new Error('it was admitted');
    const { cause, code, reason } = admission;
    world.handlers.refused?.({ peer, endpoint: 'meter-next', cause, code, reason });
    expect(await problems(ADMIN, made.id)).toMatchObject([
      {
        deviceId: made.id,
        endpoint: 'meter-next',
        kind: 'ENDPOINT_MISMATCH',
        code: '4.00',
        reason: expect.stringMatching(new RegExp(`meter-next .*${own}`)),
        security: { kind: 'psk', name: own },
      },
    ]);
    expect(world.infos).toContainEqual(
      expect.objectContaining({ device: own, endpoint: 'meter-next', kind: 'ENDPOINT_MISMATCH', count: 1 }),
    );
    expect(world.snapshot().registrationProblems.counts.ENDPOINT_MISMATCH).toBe(1);
  });

  it('with a revoked credential is recorded on its device', async () => {
    await begin();
    const made = await world.fleet.devices.provision(ADMIN, { endpoint: `revoked-${run++}` });
    const { credential } = await world.fleet.credentials.create(ADMIN, made.id, { kind: 'psk' });
    await world.fleet.credentials.revoke(ADMIN, credential.id);
    const security = { kind: 'psk', name: 'x', credential: credential.id } as const;
    world.handlers.refused?.(refusal({ peer: { ...udpPeer('192.0.2.9', 1), security }, cause: 'CREDENTIAL_ENDED' }));
    expect(await problems(ADMIN, made.id)).toMatchObject([{ kind: 'CREDENTIAL_ENDED', endpoint: null }]);
  });

  it('can’t fill the database: the newest stay, by device and by network', async () => {
    await begin();
    const { id, endpoint } = await world.fleet.devices.provision(ADMIN, { endpoint: `flooded-${run++}` });
    for (let at = 0; at < 60; at++) {
      world.handlers.refused?.(refusal({ endpoint, reason: `wrong ${at}`, peer: udpPeer(`198.51.100.${at}`, 1) }));
      world.handlers.refused?.(
        refusal({ endpoint: `nobody-${at}`, reason: 'unknown', peer: udpPeer('203.0.113.5', at) }),
      );
    }
    const found = await problems(ADMIN, id);
    expect(found).toHaveLength(20);
    const strange = await store().asTenant(DEFAULT_TENANT, (tx) => tx.select().from(registrationProblems));
    expect(strange.filter(({ network }) => network === '203.0.113.5')).toHaveLength(20);
    expect(world.snapshot().registrationProblems.leftOut).toBe(40);
  });

  it('is not shown to viewers', async () => {
    await begin();
    const asked = world.fleet.registrationProblems.page({ ...ADMIN, role: 'viewer' }, { first: 1 });
    await expect(asked).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('two live devices with one endpoint name', () => {
  it('are recorded on the device, with both addresses', async () => {
    await begin();
    const endpoint = `twin-${run++}`;
    const [one, other] = [world.device(), world.device()];
    for (let times = 0; times < 3; times++) {
      for (const device of [one, other]) {
        expect(await device.register(endpoint)).toBe('2.01');
        await world.advance(1_000);
      }
    }
    const device = await world.fleet.devices.get(ADMIN, { endpoint });
    const [problem, ...more] = await problems(ADMIN, device?.id);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ kind: 'DISPLACED', code: null, endpoint, count: 2 });
    for (const { scripted } of [one, other]) expect(problem?.reason).toContain(scripted.peer.address);
  });

  it('are not assumed when a device changes its address and once returns', async () => {
    await begin();
    const endpoint = `roaming-${run++}`;
    const [home, away] = [world.device(), world.device()];
    for (const device of [home, away, home, home]) {
      expect(await device.register(endpoint)).toBe('2.01');
      await world.advance(1_000);
    }
    const device = await world.fleet.devices.get(ADMIN, { endpoint });
    expect(await problems(ADMIN, device?.id)).toEqual([]);
  });
});

describe('unknown endpoints that are added automatically', () => {
  it('are limited by network and in total, also when they come at once; the refusal names the limit', async () => {
    await begin({ autoProvision: { perNetwork: 2, total: 1_000_000 } });
    const prefix = `added-${run++}`;
    const from = `192.0.2.${200 + run}`;
    const device = world.device(from).scripted;
    const ids = Array.from({ length: 5 }, (_, at) =>
      device.send({
        method: 'POST',
        path: '/rd',
        query: [`ep=${prefix}-${at}`, 'lt=300', 'lwm2m=1.1'],
        contentFormat: 40,
        payload: '</3/0>',
      }),
    );
    await world.advance(500);
    const answers = ids.map((id) => device.answerTo(id));
    expect(answers.filter(({ code }) => code === '2.01')).toHaveLength(2);
    const refused = answers.filter(({ code }) => code === '4.03');
    expect(refused).toHaveLength(3);
    expect(refused[0]?.diagnostic).toContain(`${from} may add only 2 unknown endpoints`);
    expect(await world.fleet.devices.count(ADMIN, { search: prefix })).toBe(2);
    expect((await problems()).filter((problem) => problem.endpoint?.startsWith(prefix))).toMatchObject(
      Array.from({ length: 3 }, () => ({ kind: 'LIMIT', code: '4.03', deviceId: null })),
    );
    expect(world.snapshot().registrationProblems.counts.LIMIT).toBe(3);
  });

  it('make room when they are deleted, and known devices are admitted at the limit', async () => {
    await begin({ autoProvision: { perNetwork: 1, total: 1_000_000 } });
    const from = '192.0.2.199';
    const [first, second] = [`room-${run++}`, `room-${run++}`];
    const device = world.device(from);
    expect(await device.register(first)).toBe('2.01');
    expect(await device.register(second)).toBe('4.03');
    expect(await device.register(first)).toBe('2.01');
    const known = await world.fleet.devices.get(ADMIN, { endpoint: first });
    await world.during(world.fleet.devices.delete(ADMIN, known?.id ?? ''));
    expect(await device.register(second)).toBe('2.01');
  });

  it('are limited in total', async () => {
    await begin({ autoProvision: { perNetwork: 1_000_000, total: 0 } });
    expect(await world.device().register(`total-${run++}`)).toBe('4.03');
  });
});

function refusal(more: Partial<RefusedRegistration>): RefusedRegistration {
  return { peer: udpPeer('192.0.2.9', 1), endpoint: null, cause: 'MALFORMED', code: '4.00', reason: 'wrong', ...more };
}
