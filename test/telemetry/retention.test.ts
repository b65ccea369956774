import { pino } from 'pino';
import { beforeAll, describe, expect, it } from 'vitest';

import { deadLetters, insertRows, outbox, telemetryPoints, type Store } from '../../src/store/index.ts';
import { Retention } from '../../src/telemetry/retention.ts';
import { ManualClock } from '../manual-clock.ts';
import { useStore } from '../store/database.ts';
import { addDevice, type KnownDevice } from './known-device.ts';

const store = useStore({ poolSize: 1 });
const DAY = 24 * 3_600_000;
const log = pino({ level: 'silent' });
let device: KnownDevice;

beforeAll(async () => {
  device = await addDevice(store(), 'acme');
});

const point = (receivedAt: number): typeof telemetryPoints.$inferInsert => ({
  eventId: crypto.randomUUID(),
  ...device,
  timestamp: new Date(0),
  numericValues: {},
  stringValues: {},
  receivedAt: new Date(receivedAt),
});
const letter = (receivedAt: number): typeof deadLetters.$inferInsert => ({
  ...device,
  path: '/dp',
  kind: 'payload',
  reason: 'rubbish',
  bytes: Uint8Array.of(1),
  receivedAt: new Date(receivedAt),
});

describe('retention', () => {
  it('deletes rows that were received before the retention time, whatever time the device sent', async () => {
    const clock = new ManualClock();
    const [old, young] = [clock.now() - 30 * DAY - 1, clock.now() - 30 * DAY];
    await store().asSystem(async (tx) => {
      await tx.insert(telemetryPoints).values([point(old), point(young)]);
      await tx.insert(deadLetters).values([letter(old), letter(young)]);
      await tx.insert(outbox).values(
        [old, young].map((at) => ({
          eventId: crypto.randomUUID(),
          ...device,
          kind: 'telemetry' as const,
          event: {},
          createdAt: new Date(at),
        })),
      );
    });
    await new Retention({ store: store(), clock, log, days: 30 }).sweep();
    const left = await store().asSystem(async (tx) => [
      await tx.select({ at: telemetryPoints.receivedAt }).from(telemetryPoints),
      await tx.select({ at: deadLetters.receivedAt }).from(deadLetters),
      await tx.select({ at: outbox.createdAt }).from(outbox),
    ]);
    expect(left).toEqual([1, 2, 3].map(() => [{ at: new Date(young) }]));
  });

  it('deletes more rows than one transaction may', async () => {
    const clock = new ManualClock();
    const old = clock.now() - 31 * DAY;
    await store().asSystem(async (tx) => {
      await insertRows(
        tx,
        telemetryPoints,
        Array.from({ length: 12_000 }, () => point(old)),
      );
    });
    await new Retention({ store: store(), clock, log, days: 30 }).sweep();
    expect(await store().asSystem((tx) => tx.$count(telemetryPoints))).toBeLessThan(2);
  });

  it('keeps the newest 10,000 dead letters of a tenant', async () => {
    const clock = new ManualClock();
    const other = await addDevice(store(), 'umbrella');
    await store().asSystem(async (tx) => {
      await tx.delete(deadLetters);
      await tx.insert(deadLetters).values({ ...letter(clock.now()), ...other });
      await insertRows(
        tx,
        deadLetters,
        Array.from({ length: 12_000 }, () => letter(clock.now())),
      );
    });
    await new Retention({ store: store(), clock, log, days: 30 }).sweep();
    const rows = await store().asTenant('acme', (tx) =>
      tx.select({ id: deadLetters.id }).from(deadLetters).orderBy(deadLetters.id),
    );
    expect(await store().asTenant('umbrella', (tx) => tx.$count(deadLetters))).toBe(1);
    expect(rows).toHaveLength(10_000);
    expect((rows.at(-1)?.id ?? 0) - (rows[0]?.id ?? 0)).toBe(9_999);
  });
});

describe('retention of large dead letters', () => {
  it('keeps the newest 16 MiB of a tenant', async () => {
    const clock = new ManualClock();
    const bytes = new Uint8Array(1024 * 1024);
    await store().asSystem(async (tx) => {
      await tx.delete(deadLetters);
      for (let n = 0; n < 20; n++) await tx.insert(deadLetters).values({ ...letter(clock.now()), path: `${n}`, bytes });
    });
    await new Retention({ store: store(), clock, log, days: 30 }).sweep();
    const rows = await store().asTenant('acme', (tx) =>
      tx.select({ path: deadLetters.path }).from(deadLetters).orderBy(deadLetters.id),
    );
    expect(rows.map(({ path }) => path)).toEqual(Array.from({ length: 16 }, (_, n) => `${n + 4}`));
  });
});

/** A store whose deletions are answered one after the other as `answers` says, then with none deleted. */
function scripted(...answers: (number | Error | Promise<number>)[]) {
  const done: string[] = [];
  const asSystem = async (): Promise<{ rowCount: number }> => {
    done.push('delete');
    const answer = await (answers.shift() ?? 0);
    if (answer instanceof Error) throw answer;
    return { rowCount: answer };
  };
  const maintain = async (): Promise<void> => void done.push('maintain');
  const logged: { level: number; events?: number; days?: number }[] = [];
  const clock = new ManualClock();
  const retention = new Retention({
    store: { asSystem, maintain } as unknown as Store, // all that retention asks of it
    clock,
    log: pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
    days: 30,
  });
  const sweeps = (): number => done.filter((step) => step === 'maintain').length;
  return { retention, clock, done, sweeps, logged };
}

/** A sweep deletes old points, old dead letters, surplus dead letters and old events. */
const SWEEP = ['delete', 'delete', 'delete', 'delete', 'maintain'];

describe('a sweep', () => {
  it('deletes again for as long as a transaction deletes as many rows as it may, and then gives the space back', async () => {
    const { retention, done, logged } = scripted(5_000, 4_999, 5_000, 5_000);
    await retention.sweep();
    expect(done).toEqual([...SWEEP.slice(0, 4), 'delete', 'delete', 'delete', 'maintain']);
    expect(logged).toEqual([]);
  });

  it('logs how many events were too old before a broker took them', async () => {
    const { retention, logged } = scripted(0, 0, 0, 5_000, 7);
    await retention.sweep();
    expect(logged).toMatchObject([{ level: 50, events: 5_007, days: 30 }]);
  });

  it('begins a minute after the start, and comes again every ten minutes', async () => {
    const { retention, clock, done } = scripted();
    retention.start();
    await clock.advance(59_999);
    expect(done).toEqual([]);
    await clock.advance(1);
    expect(done).toEqual(SWEEP);
    await clock.advance(599_999);
    expect(done).toEqual(SWEEP);
    await clock.advance(1);
    expect(done).toEqual([...SWEEP, ...SWEEP]);
    await retention.stop();
    expect(clock.pendingCount).toBe(0);
  });

  it('that fails is logged, and comes again', async () => {
    const { retention, clock, sweeps, logged } = scripted(new Error('the database is away'));
    retention.start();
    await clock.advance(60_000);
    expect(logged).toMatchObject([{ level: 50 }]);
    await clock.advance(600_000);
    expect([sweeps(), logged.length]).toEqual([1, 1]);
    await retention.stop();
  });

  it('ends with a stop, after the transaction that runs', async () => {
    const answers: ((deleted: number) => void)[] = [];
    const { retention, clock, done } = scripted(new Promise<number>((resolve) => answers.push(resolve)));
    retention.start();
    await clock.advance(60_000);
    let stopped = false;
    const stop = retention.stop().then(() => (stopped = true));
    await clock.advance(0);
    expect(stopped).toBe(false);
    for (const answer of answers) answer(5_000);
    await stop;
    expect(done).toEqual(['delete']);
    await clock.advance(3_600_000);
    expect([done.length, clock.pendingCount]).toEqual([1, 0]);
  });
});
