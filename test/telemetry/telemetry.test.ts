import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';

import { createEventBus } from '../../src/events/index.ts';
import type { DeviceStatusEvent } from '../../src/fleet/index.ts';
import { outbox } from '../../src/store/index.ts';
import { createTelemetry, type Telemetry, type TelemetryEvents } from '../../src/telemetry/index.ts';
import { ManualClock } from '../manual-clock.ts';
import { useStore } from '../store/database.ts';
import { addDevice, type KnownDevice } from './known-device.ts';

const store = useStore({ poolSize: 1 });
const clock = new ManualClock();
let device: KnownDevice;

beforeEach(async () => {
  device = await addDevice(store(), 'acme');
  await store().asSystem((tx) => tx.delete(outbox));
});

function telemetryTo(brokers: readonly string[]): Telemetry {
  return createTelemetry({
    store: store(),
    bus: createEventBus<TelemetryEvents>(),
    clock,
    log: pino({ level: 'silent' }),
    kafka: { brokers, tls: null, sasl: null, format: 'json', telemetryTopic: 'points', statusTopic: 'status' },
    retentionDays: 30,
  });
}

async function statusChange({ sink }: Telemetry): Promise<void> {
  const status: DeviceStatusEvent = {
    ...device,
    endpoint: 'urn:imei:123',
    status: 'online',
    previous: null,
    reason: 'registered',
    lastSeen: new Date(clock.now()),
    at: new Date(clock.now()),
  };
  const told = await store().asTenant('acme', (tx) => sink.enqueueStatus(tx, [status]));
  told();
}

describe('telemetry without brokers', () => {
  it('publishes nothing, and keeps nothing to publish', async () => {
    const telemetry = telemetryTo([]);
    telemetry.start();
    await statusChange(telemetry);
    expect(telemetry.publisher()).toBeNull();
    expect(await telemetry.outboxDepth()).toEqual({ waiting: 0, oldest: null });
    await telemetry.stop();
    expect(clock.pendingCount).toBe(0);
  });
});

describe('telemetry with brokers', () => {
  it('keeps what waits for them, and says how much and since when', async () => {
    const telemetry = telemetryTo(['127.0.0.1:1']);
    await statusChange(telemetry);
    await clock.advance(5_000);
    await statusChange(telemetry);
    expect(await telemetry.outboxDepth()).toEqual({ waiting: 2, oldest: new Date(clock.now() - 5_000) });
    expect(telemetry.publisher()).toMatchObject({ published: 0, broker: 'connecting' });
  });
});

describe('the counters', () => {
  it('are a copy: a change of it does not change the counters', async () => {
    const telemetry = telemetryTo([]);
    const letter = { ...device, path: '/dp\0', contentFormat: null, bytes: Uint8Array.of(1), reason: 'rubbish' };
    await store().asTenant('acme', (tx) =>
      telemetry.sink.deadLetter(tx, { ...letter, origin: 'SEND', receivedAt: clock.now() }),
    );
    const counters = telemetry.counters();
    expect(counters).toMatchObject({ points: 0, deadLetters: { undecodable: 1, opaque: 0 } });
    Object.assign(counters.deadLetters, { undecodable: 7 });
    expect(telemetry.counters().deadLetters.undecodable).toBe(1);
  });
});
