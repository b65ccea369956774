import { createHash, randomBytes } from 'node:crypto';

import { asc } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';

import { createEventBus } from '../../src/events/index.ts';
import type { DeviceStatusEvent, TelemetryBatch, TelemetrySink } from '../../src/fleet/index.ts';
import { Path, type Reading, type TypedValue } from '../../src/lwm2m/index.ts';
import { deadLetters, outbox, telemetryPoints } from '../../src/store/index.ts';
import { startCounting, type Counting } from '../../src/telemetry/counters.ts';
import { createIngest } from '../../src/telemetry/ingest.ts';
import type { TelemetryEvents } from '../../src/telemetry/index.ts';
import { ManualClock } from '../manual-clock.ts';
import { useStore } from '../store/database.ts';
import { addDevice, type KnownDevice } from './known-device.ts';

const store = useStore({ poolSize: 1 });
const clock = new ManualClock();
const receivedAt = Date.UTC(2026, 4, 29, 14, 30);
const mappings = [
  { path: '/3303/0/5700', metric: 'temperature' },
  { path: '/3304/0/5700', metric: 'humidity' },
  { path: '/3/0/1', metric: 'model' },
];

let bus: ReturnType<typeof createEventBus<TelemetryEvents>>;
let counting: Counting;
let device: KnownDevice;
let woken: number;
let sink: TelemetrySink;

beforeEach(async () => {
  bus = createEventBus<TelemetryEvents>();
  counting = startCounting();
  woken = 0;
  sink = createIngest({ bus, clock, counting, wakePublisher: () => woken++ });
  device = await addDevice(store(), 'acme');
  await store().asSystem(async (tx) => {
    for (const table of [outbox, telemetryPoints, deadLetters]) await tx.delete(table);
  });
});

const reading = (path: string, value: TypedValue, time: number | null = null): Reading => ({
  ...value,
  path: Path.parse(path),
  time,
});
const float = (value: number): TypedValue => ({ type: 'Float', value });

const batch = (...readings: Reading[]): TelemetryBatch => ({
  ...device,
  mappings,
  readings,
  receivedAt,
  presumedAt: receivedAt,
  message: null,
});

const status = (): DeviceStatusEvent => ({
  ...device,
  endpoint: 'urn:imei:123',
  status: 'online',
  previous: null,
  reason: 'registered',
  lastSeen: new Date(receivedAt),
  at: new Date(receivedAt),
});

/** Records like the fleet: calls the function that `record` resolves with after the commit. */
async function record(into: TelemetrySink, ...batches: TelemetryBatch[]): Promise<void> {
  const announce = await store().asTenant(device.tenantId, (tx) => into.record(tx, batches));
  announce();
}

const points = () =>
  store().asTenant('acme', (tx) => tx.select().from(telemetryPoints).orderBy(telemetryPoints.timestamp));
const waiting = () => store().asTenant('acme', (tx) => tx.select().from(outbox).orderBy(asc(outbox.id)));
const letters = () => store().asTenant('acme', (tx) => tx.select().from(deadLetters).orderBy(asc(deadLetters.id)));

describe('mapped readings', () => {
  it('become points and outbox rows with the same event id', async () => {
    await record(
      sink,
      batch(
        reading('/3303/0/5700', float(22.5)),
        reading('/3304/0/5700', float(40)),
        reading('/3/0/1', { type: 'String', value: 'TL-1' }),
      ),
    );
    const [point, ...others] = await points();
    expect(others).toEqual([]);
    expect(point).toMatchObject({
      ...device,
      timestamp: new Date(receivedAt),
      numericValues: { temperature: 22.5, humidity: 40 },
      stringValues: { model: 'TL-1' },
      receivedAt: new Date(receivedAt),
    });
    expect(await waiting()).toMatchObject([
      {
        eventId: point?.eventId,
        ...device,
        kind: 'telemetry',
        event: {
          device_id: device.deviceId,
          tenant_id: 'acme',
          timestamp: '2026-05-29T14:30:00Z',
          numeric_values: { temperature: 22.5, humidity: 40 },
          string_values: { model: 'TL-1' },
        },
        createdAt: new Date(clock.now()),
      },
    ]);
    expect(counting.points).toBe(1);
  });

  it('are read from the database as the same numbers', async () => {
    const numbers = [Number.MAX_VALUE, Number.MIN_VALUE, 0.1 + 0.2, 2 ** 53 + 2, -1e-7, 123_456_789.125];
    const wide = numbers.map((_, id) => ({ path: `/1/0/${id}`, metric: `m${id}` }));
    await record(sink, {
      ...batch(...numbers.map((value, id) => reading(`/1/0/${id}`, float(value)))),
      mappings: wide,
    });
    const [point] = await points();
    expect(numbers.map((_, id) => point?.numericValues[`m${id}`])).toEqual(numbers);
  });

  it('of several batches keep their order in the outbox', async () => {
    const temperatures = [3, 1, 2].map((value) => batch(reading('/3303/0/5700', float(value))));
    await record(sink, ...temperatures);
    expect((await waiting()).map(({ event }) => event)).toMatchObject(
      [3, 1, 2].map((temperature) => ({ numeric_values: { temperature } })),
    );
  });

  it('are published on the bus and wake the publisher only after the commit', async () => {
    const heard = bus.subscribe('telemetry', `acme/${device.deviceId}`)[Symbol.asyncIterator]();
    const announce = await store().asTenant('acme', (tx) =>
      sink.record(tx, [batch(reading('/3303/0/5700', float(1)))]),
    );
    expect([bus.snapshot().published, woken, counting.points]).toEqual([0, 0, 0]);
    announce();
    const { value } = await heard.next();
    const [point] = await points();
    expect(value).toEqual({
      kind: 'event',
      value: {
        eventId: point?.eventId,
        ...device,
        timestamp: new Date(receivedAt),
        receivedAt: new Date(receivedAt),
        numericValues: { temperature: 1 },
        stringValues: {},
      },
    });
    expect(woken).toBe(1);
  });

  it('store and publish nothing when the transaction rolls back', async () => {
    const failed = store().asTenant('acme', async (tx) => {
      await sink.record(tx, [batch(reading('/3303/0/5700', float(1)))]);
      throw new Error('the last values could not be stored');
    });
    await expect(failed).rejects.toThrow('the last values');
    expect([await points(), await waiting()]).toEqual([[], []]);
  });

  it('with 10,000 times become 10,000 points', async () => {
    const history = Array.from({ length: 10_000 }, (_, n) => reading('/3303/0/5700', float(n), 1_700_000_000 + n));
    await record(sink, batch(...history));
    expect(await store().asTenant('acme', (tx) => tx.$count(telemetryPoints))).toBe(10_000);
    expect(await store().asTenant('acme', (tx) => tx.$count(outbox))).toBe(10_000);
  });

  it('that a device repeats with the same times become points once', async () => {
    const at = 1_780_000_000;
    const sent = batch(reading('/3303/0/5700', float(1), at), reading('/3303/0/5700', float(2), at + 0.25));
    await record(sink, sent, sent);
    await record(sink, { ...sent, receivedAt: receivedAt + 5000 });
    await record(sink, batch(reading('/3303/0/5700', float(9), at), reading('/3304/0/5700', float(40), at)));
    expect((await points()).map(({ numericValues }) => numericValues)).toEqual(
      expect.arrayContaining([{ temperature: 1 }, { humidity: 40 }, { temperature: 2 }]),
    );
    expect([(await points()).length, (await waiting()).length]).toEqual([3, 3]);
    expect([counting.points, counting.repeated]).toEqual([3, 4]);
    const untimed = batch(reading('/3303/0/5700', float(1)));
    await record(sink, untimed, untimed);
    expect(await points()).toHaveLength(5);
  });

  it('with a presumed time and without a time of the device have the presumed time', async () => {
    const presumedAt = receivedAt - 5;
    await record(sink, { ...batch(reading('/3303/0/5700', float(1))), presumedAt });
    expect(await points()).toMatchObject([{ timestamp: new Date(presumedAt), receivedAt: new Date(receivedAt) }]);
  });

  it('without a mapping store nothing and do not wake the publisher', async () => {
    await record(sink, batch(reading('/9999/0/1', float(1))));
    expect([woken, counting.points, await points(), await letters()]).toEqual([0, 0, [], []]);
  });

  it('are stored without an outbox row when nothing is published', async () => {
    const quiet = createIngest({ bus, clock, counting, wakePublisher: null });
    await record(quiet, batch(reading('/3303/0/5700', float(1))));
    expect(await points()).toHaveLength(1);
    const told = await store().asTenant('acme', (tx) => quiet.enqueueStatus(tx, [status()]));
    told();
    expect(await waiting()).toEqual([]);
  });
});

const restarted = () => createIngest({ bus, clock, counting, wakePublisher: () => woken++ });
const sent = (more: Partial<TelemetryBatch> = {}): TelemetryBatch => ({
  ...batch(reading('/3303/0/5700', float(20))),
  receivedAt: clock.now(),
  presumedAt: clock.now(),
  message: '0a0b/77',
  ...more,
});

describe('a message that a device repeats after a restart of the server', () => {
  it.each([1, 100_000, 246_000])('is stored and published once when it comes %i ms later', async (later) => {
    await record(sink, sent());
    await clock.advance(later);
    await record(restarted(), sent());
    expect(await points()).toHaveLength(1);
    expect(await waiting()).toHaveLength(1);
    expect(counting).toMatchObject({ points: 1, repeated: 1 });
  });

  it('is another message when EXCHANGE_LIFETIME has passed', async () => {
    await record(sink, sent());
    await clock.advance(247_001);
    await record(restarted(), sent());
    expect(await points()).toHaveLength(2);
  });

  it.each([
    ['another value', () => sent({ readings: [reading('/3303/0/5700', float(21))] })],
    ['another message ID', () => sent({ message: '0a0b/78' })],
    ['no message ID', () => sent({ message: null })],
  ])('is another message with %s', async (_name, other) => {
    await record(sink, sent());
    await record(restarted(), other());
    expect(await points()).toHaveLength(2);
  });

  it('has the same event id where the database is not asked any more', async () => {
    await clock.advance(300_000);
    await record(sink, sent(), sent());
    const [point, ...others] = await points();
    expect(others).toEqual([]);
    expect((await waiting()).map(({ eventId }) => eventId)).toEqual([point?.eventId, point?.eventId]);
  });
});

describe('a dead letter', () => {
  it('contains the refused reading and the reason, and the other readings become points', async () => {
    await record(
      sink,
      batch(
        reading('/3303/0/5700', float(Number.NaN)),
        reading('/3304/0/5700', float(40)),
        reading('/3/0/1', { type: 'Opaque', value: Uint8Array.of(0, 1, 255) }),
      ),
    );
    expect(await points()).toMatchObject([{ numericValues: { humidity: 40 } }]);
    expect(await letters()).toMatchObject([
      {
        ...device,
        kind: 'reading',
        path: '/3303/0/5700',
        reason: 'not-finite',
        bytes: new Uint8Array(Buffer.from('NaN')),
        contentFormat: null,
        receivedAt: new Date(receivedAt),
      },
      { ...device, kind: 'reading', path: '/3/0/1', reason: 'opaque', bytes: Uint8Array.of(0, 1, 255) },
    ]);
    expect(counting.deadLetters).toMatchObject({ 'not-finite': 1, opaque: 1, 'not-a-number': 0 });
  });

  it('and is a link is kept as it is spelt', async () => {
    const link = reading('/3303/0/5700', { type: 'Objlnk', value: { objectId: 3, instanceId: 0 } });
    const numeric = [{ path: '/3303/0/5700', metric: 'temperature', kind: 'numeric' as const }];
    await record(sink, { ...batch(link), mappings: numeric });
    expect(await letters()).toMatchObject([{ reason: 'not-a-number', bytes: new Uint8Array(Buffer.from('3:0')) }]);
  });

  it('contains the exact bytes of an undecodable payload', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await store().asTenant('acme', (tx) =>
      sink.deadLetter(tx, {
        ...device,
        path: '/d\0p',
        contentFormat: 110,
        bytes,
        reason: `no SenML: \0 ${'x'.repeat(1_000)}`,
        origin: 'SEND',
        receivedAt,
      }),
    );
    const [letter] = await letters();
    expect(letter).toMatchObject({ ...device, kind: 'payload', path: '/d\ufffdp', contentFormat: 110, bytes });
    expect(letter?.receivedAt).toEqual(new Date(receivedAt));
    expect(letter?.reason).toMatch(/^no SenML: \ufffd x{488}$/);
    expect([letter?.size, letter?.sha256]).toEqual([null, null]);
    expect(counting.deadLetters.undecodable).toBe(1);
  });
});

const undecodable = (bytes: Uint8Array): Promise<void> =>
  store().asTenant('acme', (tx) =>
    sink.deadLetter(tx, {
      ...device,
      path: '/',
      contentFormat: 110,
      bytes,
      reason: 'no SenML',
      origin: 'SEND',
      receivedAt,
    }),
  );

describe('dead letters are limited', () => {
  it('to the head of a large payload, with its size and hash', async () => {
    const bytes = new Uint8Array(randomBytes(1024 * 1024));
    await undecodable(bytes);
    const [letter] = await letters();
    expect(letter).toMatchObject({ size: bytes.length, bytes: bytes.slice(0, 4096) });
    expect(Buffer.from(letter?.sha256 ?? []).toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('to a number per device in ten minutes, and the others are counted', async () => {
    for (let sent = 0; sent < 300; sent++) await undecodable(new Uint8Array(8000));
    expect(await letters()).toHaveLength(256);
    expect(counting.deadLetters.undecodable).toBe(300);
    expect(counting.lettersNotStored).toEqual({ device: 44, tenant: 0 });
    device = await addDevice(store(), 'acme');
    await undecodable(Uint8Array.of(1));
    expect(await letters()).toHaveLength(257);
    await clock.advance(600_000);
    await undecodable(Uint8Array.of(1));
    expect(await letters()).toHaveLength(258);
  });
});

describe('a status event', () => {
  it('is added to the outbox', async () => {
    const announce = await store().asTenant('acme', (tx) => sink.enqueueStatus(tx, [status()]));
    announce();
    const [row] = await waiting();
    expect(row).toMatchObject({ ...device, kind: 'status', event: { event_id: row?.eventId, reason: 'registered' } });
    expect(row?.createdAt).toEqual(new Date(clock.now()));
    expect(woken).toBe(1);
  });
});
