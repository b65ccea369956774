import { pino } from 'pino';
import { beforeAll, describe, expect, it } from 'vitest';

import { deadLetters, insertRows, outbox, telemetryPoints } from '../../src/store/index.ts';
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
    await store().asSystem(async (tx) => {
      await tx.delete(deadLetters);
      await insertRows(
        tx,
        deadLetters,
        Array.from({ length: 12_000 }, () => letter(clock.now())),
      );
    });
    await new Retention({ store: store(), clock, log, days: 30 }).sweep();
    const rows = await store().asSystem((tx) =>
      tx.select({ id: deadLetters.id }).from(deadLetters).orderBy(deadLetters.id),
    );
    expect(rows).toHaveLength(10_000);
    expect((rows.at(-1)?.id ?? 0) - (rows[0]?.id ?? 0)).toBe(9_999);
  });

  it('runs one minute after the start, repeats, and ends when it is stopped', async () => {
    const clock = new ManualClock();
    const retention = new Retention({ store: store(), clock, log, days: 30 });
    const aged = clock.now() - 30 * DAY;
    await store().asSystem((tx) => tx.insert(telemetryPoints).values(point(aged)));
    retention.start();
    await clock.advance(60_000);
    await retention.stop();
    expect(await store().asSystem((tx) => tx.$count(telemetryPoints))).toBeLessThan(2);
    await clock.advance(3_600_000);
    expect(clock.pendingCount).toBe(0);
  });
});
