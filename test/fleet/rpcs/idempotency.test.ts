import { afterEach, describe, expect, it } from 'vitest';
import type { Actor, RpcOptions } from '../../../src/fleet/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, OTHER, otherTenant, type FleetWorld } from '../fleet-world.ts';
import { perform, registered } from './rpc-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const key = (idempotencyKey: string): RpcOptions => ({ idempotencyKey });

describe('an idempotency key', () => {
  it('belongs to one caller, mutation and set of arguments', async () => {
    world = await fleetWorld(store());
    const { known, device } = await registered(world, 'first');
    const second = await registered(world, 'second');
    const first = await world.during(perform(world, known, { kind: 'read', paths: ['/3/0/9'] }, key('bound')));
    const again = await world.during(perform(world, known, { kind: 'read', paths: ['/3/0/9'] }, key('bound')));
    expect(again.id).toBe(first.id);
    const operator: Actor = { ...ADMIN, subject: 'key:2' };
    const { rpcs } = world.fleet;
    for (const other of [
      () => rpcs.call(ADMIN, second.known.id, 'reboot', {}, key('bound')),
      () => perform(world, second.known, { kind: 'read', paths: ['/3/0/9'] }, key('bound')),
      () => perform(world, known, { kind: 'read', paths: ['/3/0/0'] }, key('bound')),
      () => perform(world, known, { kind: 'read', paths: ['/3/0/9'] }, { ...key('bound'), mode: 'PERSISTENT' }),
      () => rpcs.perform(operator, known.id, { kind: 'read', paths: ['/3/0/9'] }, key('bound')),
      () => rpcs.call(ADMIN, known.id, 'read', { paths: ['/3/0/9'] }, key('bound')),
    ]) {
      await expect(world.during(other())).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('"bound"'),
      });
    }
    expect(device.asked).toEqual(['GET /3/0/9']);
    expect(second.device.asked).toEqual([]);
  });

  it('tells calls apart that differ only in a secret', async () => {
    world = await fleetWorld(store());
    const { known } = await registered(world, 'secret');
    const write = (value: string) =>
      perform(world, known, { kind: 'write', mode: 'REPLACE', values: [{ path: '/9/0/15', value }] }, key('secret'));
    await world.during(write('one'));
    await expect(world.during(write('two'))).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('is kept without a hash that a reader of the database can compute', async () => {
    const fingerprints: unknown[] = [];
    for (const endpoint of ['hashed', 'hashed']) {
      world = await fleetWorld(store());
      const known = (await world.fleet.devices.get(ADMIN, { endpoint })) ?? (await registered(world, endpoint)).known;
      const write = { kind: 'write', mode: 'REPLACE', values: [{ path: '/9/0/15', value: '1234' }] } as const;
      const { id } = await world.during(perform(world, known, write, { ...key('hashed'), mode: 'PERSISTENT' }));
      const { rows } = await store().asSystem((tx) => tx.execute(`delete from rpcs where id = '${id}' returning *`));
      fingerprints.push(rows[0]?.['fingerprint']);
      if (fingerprints.length === 1) await world.stop();
    }
    expect(fingerprints[0]).toEqual(expect.any(String));
    // The two worlds have different secret keys.
    expect(fingerprints[0]).not.toBe(fingerprints[1]);
  });

  it('still belongs to its call after a change of the secret key, and in rows without a fingerprint', async () => {
    world = await fleetWorld(store());
    const { known } = await registered(world, 'rotated');
    const read = { kind: 'read', paths: ['/3/0/9'] } as const;
    const first = await world.during(perform(world, known, read, key('rotated')));
    for (const step of ['another key', 'no fingerprint', 'the hash of an unreleased version']) {
      await world.stop();
      world = await fleetWorld(store());
      const set = step === 'no fingerprint' ? 'null' : `'${'ab'.repeat(32)}'`;
      if (step !== 'another key') {
        await store().asSystem((tx) => tx.execute(`update rpcs set fingerprint = ${set} where id = '${first.id}'`));
      }
      expect((await world.during(perform(world, known, read, key('rotated')))).id).toBe(first.id);
      for (const other of [
        () => perform(world, known, { ...read, paths: ['/3/0/0'] }, key('rotated')),
        () => perform(world, known, read, { ...key('rotated'), mode: 'PERSISTENT' }),
        () => world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {}, key('rotated')),
      ]) {
        await expect(world.during(other()), step).rejects.toMatchObject({ code: 'CONFLICT' });
      }
    }
  });

  it('runs a call once when ten arrive together, and refuses others among them alone', async () => {
    world = await fleetWorld(store());
    const { known, device } = await registered(world, 'race');
    const same = Array.from({ length: 10 }, () => world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {}, key('race')));
    const others = Array.from({ length: 10 }, (_, index) =>
      perform(world, known, { kind: 'read', paths: [`/3/0/${index}`] }, key('race')),
    );
    const innocent = perform(world, known, { kind: 'read', paths: ['/3/0/9'] });
    const outcomes = await world.during(Promise.allSettled([...same, ...others, innocent]));
    const ids = new Set(
      outcomes.slice(0, 10).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.id : outcome.reason)),
    );
    expect(ids.size).toBe(1);
    expect(outcomes.slice(10, 20).map(({ status }) => status)).toEqual(Array(10).fill('rejected'));
    expect(outcomes[20]).toMatchObject({ status: 'fulfilled', value: { status: 'SUCCESSFUL' } });
    expect(device.asked.filter((line) => line === 'POST /3/0/4')).toHaveLength(1);
  });

  it('of another tenant is another key', async () => {
    world = await fleetWorld(store());
    await otherTenant(store());
    const { known } = await registered(world, 'ours');
    const theirs = await world.fleet.devices.provision(OTHER, { endpoint: 'theirs' });
    const first = await world.during(world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {}, key('shared')));
    const other = await world.during(world.fleet.rpcs.call(OTHER, theirs.id, 'reboot', {}, key('shared')));
    expect(other.id).not.toBe(first.id);
    expect(other.tenantId).toBe(OTHER.tenantId);
  });

  it.each(['', 'a\u0000b', '\ud800', 'x'.repeat(256), 'line\nbreak'])('%j is refused', async (idempotencyKey) => {
    world = await fleetWorld(store());
    const { known } = await registered(world, `odd ${Math.random()}`);
    await expect(world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {}, { idempotencyKey })).rejects.toMatchObject({
      code: 'VALIDATION',
      field: ['idempotencyKey'],
    });
  });

  it.each(["'; drop table rpcs; --", '🔑', ' ', '%', 'x'.repeat(255)])('%j is a key', async (idempotencyKey) => {
    world = await fleetWorld(store());
    const { known } = await registered(world, `even ${Math.random()}`);
    const call = () => world.during(world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {}, { idempotencyKey }));
    expect((await call()).id).toBe((await call()).id);
  });
});

describe('cancelRpc', () => {
  it('cancels once when many arrive together, and frees the device for the next call', async () => {
    world = await fleetWorld(store());
    const { known, device } = await registered(world, 'cancelled often');
    device.answers.set('GET /3/0/9', null);
    const pending = perform(world, known, { kind: 'read', paths: ['/3/0/9'] });
    await world.advance(100);
    const { id } = (await world.fleet.rpcs.page(ADMIN, known.id, { first: 1 })).edges[0]?.node ?? { id: '' };
    const cancels = await world.during(
      Promise.allSettled(Array.from({ length: 10 }, () => world.fleet.rpcs.cancel(ADMIN, id))),
    );
    expect(cancels.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const cancel of cancels) {
      if (cancel.status === 'rejected') expect(cancel.reason).toMatchObject({ code: 'CONFLICT' });
    }
    expect(await pending).toMatchObject({ status: 'CANCELLED' });
    expect(await world.during(perform(world, known, { kind: 'read', paths: ['/3303/0/5700'] }))).toMatchObject({
      status: 'SUCCESSFUL',
    });
  });

  it('finds no call of another tenant, and takes only an id', async () => {
    world = await fleetWorld(store());
    await otherTenant(store());
    const known = await world.fleet.devices.provision(ADMIN, { endpoint: 'mine' });
    const waiting = await world.during(
      perform(world, known, { kind: 'read', paths: ['/3/0/9'] }, { mode: 'PERSISTENT' }),
    );
    for (const id of [waiting.id, '', "' or 1=1", `${waiting.id} `]) {
      const actor = id === waiting.id ? OTHER : ADMIN;
      await expect(world.during(world.fleet.rpcs.cancel(actor, id))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    expect((await world.fleet.rpcs.many(ADMIN, [waiting.id]))[0]?.status).toBe('QUEUED');
  });
});
