import { afterEach, describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import type { Actor, Device as KnownDevice, Rpc, RpcOptions } from '../../../src/fleet/index.ts';
import { useStore } from '../../store/database.ts';
import { SimulatedNetwork } from '../../coap/network.ts';
import { ADMIN, fleetWorld, type Device, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

/** A registered device that its profile leaves alone. */
async function registered(
  endpoint: string,
  query: readonly string[] = [],
): Promise<{ device: Device; known: KnownDevice }> {
  const profile = await world.fleet.profiles.create(ADMIN, { name: `of ${endpoint}` });
  await world.fleet.devices.provision(ADMIN, { endpoint, profileId: profile.id });
  const device = world.device();
  await device.register(endpoint, query);
  const known = await world.fleet.devices.get(ADMIN, { endpoint });
  if (!known) throw new Error('not registered');
  return { device, known };
}

const statuses = async (rpc: Rpc): Promise<string[]> =>
  ((await world.fleet.rpcs.transitions(ADMIN, [rpc.id])).get(rpc.id) ?? []).map(({ to }) => to);
const now = async (rpc: Rpc): Promise<Rpc | null> => (await world.fleet.rpcs.many(ADMIN, [rpc.id]))[0] ?? null;
const read = (known: KnownDevice, paths: string[], options?: RpcOptions): Promise<Rpc> =>
  world.fleet.rpcs.perform(ADMIN, known.id, { kind: 'read', paths }, options);

describe('a two-way call', () => {
  it('brings what the device answered', async () => {
    world = await fleetWorld(store());
    const { known } = await registered('two-way');
    const rpc = await world.during(read(known, ['/3303/0/5700']));
    expect(rpc).toMatchObject({
      method: 'read',
      params: { paths: ['/3303/0/5700'] },
      mode: 'TWO_WAY',
      status: 'SUCCESSFUL',
      attempts: 1,
      createdBy: 'admin-token',
      error: null,
      result: { code: '2.05', values: [{ path: '/3303/0/5700', type: 'FLOAT', value: 22.5 }] },
    });
    expect(await statuses(rpc)).toEqual(['QUEUED', 'SENT', 'DELIVERED', 'SUCCESSFUL']);
  });

  it('fails with what the device refused', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('refusing');
    device.answers.set('GET /3/0/16', { code: codes.methodNotAllowed, payload: 'not for you' });
    const rpc = await world.during(read(known, ['/3/0/16']));
    expect(rpc).toMatchObject({
      status: 'FAILED',
      error: { code: 'DEVICE_ERROR', coapCode: '4.05', message: 'not for you' },
    });
    expect(await statuses(rpc)).toEqual(['QUEUED', 'SENT', 'DELIVERED', 'FAILED']);
  });

  it('times out at once when the device has no registration', async () => {
    world = await fleetWorld(store());
    const known = await world.fleet.devices.provision(ADMIN, { endpoint: 'never-there' });
    const rpc = await world.during(read(known, ['/3/0/9']));
    expect(rpc).toMatchObject({ status: 'TIMEOUT', error: { code: 'DEVICE_UNREACHABLE', coapCode: null } });
    expect(await statuses(rpc)).toEqual(['QUEUED', 'TIMEOUT']);
  });

  it('times out when no answer comes in its time', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('deaf');
    device.answers.set('GET /3/0/9', null);
    const pending = read(known, ['/3/0/9'], { timeoutMs: 5_000 });
    await world.advance(4_000);
    expect((await world.fleet.rpcs.page(ADMIN, known.id, { first: 1 })).edges[0]?.node.status).toBe('SENT');
    await world.advance(2_000);
    expect(await pending).toMatchObject({ status: 'TIMEOUT', error: { code: 'TIMEOUT' } });
  });

  it('can be cancelled until the device has it', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('cancelled');
    device.answers.set('GET /3/0/9', null);
    const pending = read(known, ['/3/0/9']);
    await world.advance(100);
    const { id } = (await world.fleet.rpcs.page(ADMIN, known.id, { first: 1 })).edges[0]?.node ?? { id: '' };
    expect(await world.during(world.fleet.rpcs.cancel(ADMIN, id))).toMatchObject({ status: 'CANCELLED' });
    const rpc = await pending;
    expect(await statuses(rpc)).toEqual(['QUEUED', 'SENT', 'CANCELLED']);
    await expect(world.during(world.fleet.rpcs.cancel(ADMIN, id))).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('is made once for an idempotency key, and a repetition brings the first one’s answer', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('once');
    const calls = ['a', 'a', 'b'].map((key) =>
      world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {}, { idempotencyKey: key }),
    );
    const [first, second, other] = await world.during(Promise.all(calls));
    expect(second).toEqual(first);
    expect(other?.id).not.toBe(first?.id);
    expect(device.asked.filter((line) => line === 'POST /3/0/4')).toHaveLength(2);
  });
});

describe('a one-way call', () => {
  it('is done when it has left', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('one-way');
    device.answers.set('POST /3/0/4', null);
    const rpc = await world.during(world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {}, { mode: 'ONE_WAY' }));
    expect(rpc.status).toBe('QUEUED');
    await world.advance(100);
    expect(await statuses(rpc)).toEqual(['QUEUED', 'SENT', 'SUCCESSFUL']);
    await world.advance(300_000);
    expect(await now(rpc)).toMatchObject({ status: 'SUCCESSFUL' });
  });
});

describe('a persistent call', () => {
  it('waits for a device that is away, and goes out in order, one at a time', async () => {
    world = await fleetWorld(store());
    const known = await world.fleet.devices.provision(ADMIN, { endpoint: 'away' });
    const rpcs: Rpc[] = [];
    for (const paths of [['/3/0/0'], ['/3/0/1'], ['/3/0/2']]) {
      rpcs.push(await world.during(read(known, paths, { mode: 'PERSISTENT' })));
    }
    await world.advance(3_600_000);
    expect(rpcs.map(({ status }) => status)).toEqual(['QUEUED', 'QUEUED', 'QUEUED']);
    const device = world.device();
    for (const path of ['/3/0/0', '/3/0/1', '/3/0/2']) device.values.set(path, 'x');
    await device.register('away', [], '</1/0>,</3/0>');
    await world.advance(200);
    expect(device.asked.filter((line) => /\/3\/0\/[0-2]$/.test(line))).toEqual([
      'GET /3/0/0',
      'GET /3/0/1',
      'GET /3/0/2',
    ]);
    const sent = await Promise.all(rpcs.map(now));
    expect(sent.map((rpc) => rpc?.status)).toEqual(['SUCCESSFUL', 'SUCCESSFUL', 'SUCCESSFUL']);
    const [first, second] = sent;
    expect(second?.sentAt?.getTime()).toBeGreaterThanOrEqual(first?.completedAt?.getTime() ?? Infinity);
  });

  it('is tried again after the device did not answer, and ends at its expiry', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('flaky');
    device.answers.set('POST /3/0/4', null);
    const expiresAt = new Date(world.network.clock.now() + 3_600_000);
    const rpc = await world.during(
      world.fleet.rpcs.call(
        ADMIN,
        known.id,
        'reboot',
        {},
        { mode: 'PERSISTENT', timeoutMs: 10_000, expiresAt, delivery: 'AT_LEAST_ONCE' },
      ),
    );
    await world.advance(11_000);
    expect(await now(rpc)).toMatchObject({ status: 'QUEUED', attempts: 1 });
    device.answers.delete('POST /3/0/4');
    await world.advance(30_000);
    expect(await now(rpc)).toMatchObject({ status: 'SUCCESSFUL', attempts: 2 });

    await device.send('DELETE', device.scripted.location);
    const late = await world.during(
      world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {}, { mode: 'PERSISTENT', expiresAt }),
    );
    await world.advance(3_600_000);
    expect(await now(late)).toMatchObject({ status: 'EXPIRED', error: { code: 'EXPIRED' } });
    expect(await statuses(late)).toEqual(['QUEUED', 'EXPIRED']);
  });

  it('goes on with what waits behind one that was not answered', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('backlog');
    device.answers.set('GET /3/0/9', null);
    const options = { mode: 'PERSISTENT', timeoutMs: 10_000 } as const;
    const first = await world.during(read(known, ['/3/0/9'], options));
    const second = await world.during(read(known, ['/3303/0/5700'], options));
    await world.advance(12_000);
    expect(await now(first)).toMatchObject({ status: 'QUEUED', attempts: 1 });
    expect(await now(second)).toMatchObject({ status: 'QUEUED', attempts: 0 });
    device.answers.clear();
    await world.advance(60_000);
    expect(await now(first)).toMatchObject({ status: 'SUCCESSFUL', attempts: 2 });
    expect(await now(second)).toMatchObject({ status: 'SUCCESSFUL', attempts: 1 });
    expect(world.snapshot().rpcs).toEqual({ queues: 0, running: 0, waiters: 0 });
  });

  it('survives a restart of the server while the device sleeps, in order with the others', async () => {
    const network = new SimulatedNetwork();
    world = await fleetWorld(store(), { network });
    const { device, known } = await registered('sleeper', ['b=U', 'Q']);
    for (const path of ['/3/0/0', '/3/0/1', '/3/0/2']) device.values.set(path, 'x');
    await world.advance(120_000);
    const waiting = read(known, ['/3/0/0'], { timeoutMs: 600_000 });
    // The restart leaves it without anybody who waits; it is in the database.
    waiting.catch(() => {});
    await world.advance(100);
    const second = await world.during(read(known, ['/3/0/1'], { mode: 'PERSISTENT' }));
    const third = await world.during(read(known, ['/3/0/2'], { mode: 'PERSISTENT' }));
    await world.advance(1_000);
    expect(device.asked.filter((line) => line.startsWith('GET /3/0'))).toEqual([]);
    await world.stop();

    world = await fleetWorld(store(), { network });
    await world.advance(1_000);
    expect(device.asked.filter((line) => line.startsWith('GET /3/0'))).toEqual([]);
    expect(await device.send('POST', device.scripted.location)).toBe('2.04');
    await world.advance(200);
    expect(device.asked.filter((line) => line.startsWith('GET /3/0'))).toEqual([
      'GET /3/0/0',
      'GET /3/0/1',
      'GET /3/0/2',
    ]);
    expect(await now(second)).toMatchObject({ status: 'SUCCESSFUL' });
    expect(await now(third)).toMatchObject({ status: 'SUCCESSFUL' });
  });

  it('can be cancelled while it waits', async () => {
    world = await fleetWorld(store());
    const known = await world.fleet.devices.provision(ADMIN, { endpoint: 'gone' });
    const rpc = await world.during(read(known, ['/3/0/0'], { mode: 'PERSISTENT' }));
    expect(await world.during(world.fleet.rpcs.cancel(ADMIN, rpc.id))).toMatchObject({ status: 'CANCELLED' });
    const device = world.device();
    await device.register('gone', [], '</1/0>,</3/0>');
    await world.advance(200);
    expect(device.asked).not.toContain('GET /3/0/0');
  });
});

describe('a call to a device that sleeps', () => {
  it('is held until it wakes, and times out when it does not', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('drowsy', ['b=U', 'Q']);
    await world.advance(120_000);
    const held = read(known, ['/3/0/9'], { timeoutMs: 60_000 });
    const late = read(known, ['/3303/0/5700'], { timeoutMs: 10_000 });
    await world.advance(20_000);
    expect(await late).toMatchObject({
      status: 'TIMEOUT',
      attempts: 0,
      error: { code: 'TIMEOUT', message: expect.stringContaining('mode PERSISTENT holds the call until it wakes') },
    });
    expect(device.asked).toEqual([]);
    await device.send('POST', device.scripted.location);
    await world.advance(100);
    expect(await held).toMatchObject({ status: 'SUCCESSFUL' });
    expect(device.asked).toEqual(['GET /3/0/9']);
  });

  it('asks for an SMS to a device that has a number, once in a sleep', async () => {
    const sent: string[] = [];
    world = await fleetWorld(store(), { smsTrigger: ({ smsNumber }) => void sent.push(smsNumber) });
    const { device, known } = await registered('reachable', ['b=U', 'Q', 'sms=491700000000']);
    await world.advance(120_000);
    const held = [read(known, ['/3/0/9']), read(known, ['/3303/0/5700'])];
    await world.advance(100);
    expect(sent).toEqual(['491700000000']);
    await device.send('POST', device.scripted.location);
    await world.advance(100);
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual(['SUCCESSFUL', 'SUCCESSFUL']);
  });

  it('goes out after a Send too', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('sender', ['b=U', 'Q']);
    await world.advance(120_000);
    const held = read(known, ['/3/0/9'], { timeoutMs: 60_000 });
    await world.advance(100);
    const text = '[{"n":"/3303/0/5700","v":7.5}]';
    expect(await device.send('POST', '/dp', { format: 110, text })).toBe('2.04');
    await world.advance(100);
    expect(await held).toMatchObject({ status: 'SUCCESSFUL' });
  });
});

describe('an operation', () => {
  it('reads several paths at once where the device can, and one by one where it refuses', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('composite');
    device.answers.set('FETCH /', { code: codes.methodNotAllowed });
    const paths = ['/3/0/9', '/3303/0/5700', '/3/0/1'];
    const rpc = await world.during(read(known, paths));
    expect(device.asked).toEqual(['FETCH /', 'GET /3/0/9', 'GET /3303/0/5700', 'GET /3/0/1']);
    expect(rpc).toMatchObject({
      status: 'SUCCESSFUL',
      result: {
        values: [
          { path: '/3/0/9', value: 80 },
          { path: '/3303/0/5700', value: 22.5 },
        ],
        failures: [{ path: '/3/0/1', coapCode: '4.04' }],
      },
    });
    // It is not asked again for what it does not know.
    await world.during(read(known, paths));
    expect(device.asked.filter((line) => line === 'FETCH /')).toHaveLength(1);
  });

  it('writes values, which are in the tree then and no telemetry', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('written');
    const values = [{ path: '/1/0/1', value: 600 }];
    const rpc = await world.during(
      world.fleet.rpcs.perform(ADMIN, known.id, { kind: 'write', mode: 'REPLACE', values }),
    );
    expect(rpc).toMatchObject({ status: 'SUCCESSFUL', result: { code: '2.04' } });
    expect(device.asked).toEqual(['PUT /1/0/1']);
    const tree = await world.fleet.devices.resources(ADMIN, [known.id], [{ ids: [1, 0, 1] }]);
    expect(tree.get(known.id)).toMatchObject([{ path: '/1/0/1', value: 600, source: 'WRITE' }]);
    expect(world.sink.batches).toEqual([]);
  });

  it.each([
    [{ path: '/9/0/15', value: 'hunter2' }],
    [{ path: '/9/0', value: { 2: '', 15: 'hunter2' } }],
    [{ path: '/0/0/5', value: 'aHVudGVyMg==' }],
  ])('keeps nothing secret of a write of %j', async (written) => {
    world = await fleetWorld(store());
    const { known } = await registered(`audited ${Math.random()}`);
    const input = { kind: 'write', mode: 'REPLACE', values: [written], force: true } as const;
    const rpc = await world.during(world.fleet.rpcs.perform(ADMIN, known.id, input));
    expect(rpc).toMatchObject({ status: 'SUCCESSFUL', params: { values: [{ path: written.path }] } });
    const tree = await world.fleet.devices.resources(ADMIN, [known.id], []);
    const { rows } = await store().asSystem((tx) => tx.execute(`select * from rpcs where id = '${rpc.id}'`));
    for (const kept of [rpc, rows, [...tree]]) {
      expect(JSON.stringify(kept)).not.toMatch(/hunter2|aHVudGVyMg/);
    }
  });

  it.each([
    [{ kind: 'read', paths: ['3/0'] }, ['paths', '0']],
    [{ kind: 'read', paths: [] }, ['paths']],
    [{ kind: 'read', paths: ['/3/0/4'] }, ['paths', '0']],
    [{ kind: 'write', mode: 'REPLACE', values: [{ path: '/3/0/13', value: 'noon' }] }, ['values', '0', 'value']],
    [{ kind: 'write', mode: 'UPDATE', values: [{ path: '/3303', value: 1 }] }, ['values', '0', 'value']],
    [{ kind: 'execute', path: '/3/0/9' }, ['path']],
    [{ kind: 'execute', path: '/3/0/4', arguments: { '0': 'a b' } }, ['arguments', '0']],
    [{ kind: 'delete', path: '/3' }, ['path']],
    [{ kind: 'discover', path: '/3', depth: 9 }, ['depth']],
    [{ kind: 'observe', paths: ['/3/0/9'], attributes: { gt: 1, lt: 2 } }, ['attributes', 'lt']],
  ] as const)('refuses %j before it is a call', async (input, field) => {
    world = await fleetWorld(store());
    const known =
      (await world.fleet.devices.get(ADMIN, { endpoint: 'checked' })) ??
      (await world.fleet.devices.provision(ADMIN, { endpoint: 'checked' }));
    await expect(world.fleet.rpcs.perform(ADMIN, known.id, input)).rejects.toMatchObject({
      code: 'VALIDATION',
      field,
    });
    expect((await world.fleet.rpcs.page(ADMIN, known.id, { first: 1 })).edges).toEqual([]);
  });

  it('takes an operator', async () => {
    world = await fleetWorld(store());
    const known = await world.fleet.devices.provision(ADMIN, { endpoint: 'guarded' });
    const viewer: Actor = { ...ADMIN, role: 'viewer' };
    await expect(world.fleet.rpcs.call(viewer, known.id, 'reboot', {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('a deleted device', () => {
  it('takes what waits for it along, and must register anew', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered('doomed');
    device.answers.set('POST /3/0/4', null);
    const running = world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {});
    await world.advance(100);
    await world.during(world.fleet.devices.delete(ADMIN, known.id));
    expect(await running).toMatchObject({ status: 'DELETED' });
    expect(await world.fleet.devices.get(ADMIN, { id: known.id })).toBeNull();
    expect(await device.send('POST', device.scripted.location)).toBe('4.04');
    expect(world.warnings).toEqual([]);
  });
});
