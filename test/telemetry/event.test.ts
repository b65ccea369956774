import { readFileSync } from 'node:fs';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import type { DeviceId, DeviceStatusEvent, TenantId } from '../../src/fleet/index.ts';
import { deviceStatusJson, telemetryPointJson } from '../../src/telemetry/event-json.ts';
import { telemetryPointProtobuf } from '../../src/telemetry/event-protobuf.ts';
import type { TelemetryPoint } from '../../src/telemetry/index.ts';

const contract = (name: string): string => readFileSync(new URL(`../../data/events/${name}`, import.meta.url), 'utf8');
const schema = (name: string): z.ZodType => z.fromJSONSchema(JSON.parse(contract(name)));

const deviceId = 'd7b1c0e2-5f0a-4f57-9a5e-0d6f8a1b2c3d' as DeviceId;
const ARRIVAL = new Date('2026-05-29T14:30:01Z');
const point = (
  time: string,
  numericValues: Record<string, number> = {},
  stringValues: Record<string, string> = {},
): TelemetryPoint => ({
  eventId: crypto.randomUUID(),
  deviceId,
  tenantId: 'acme' as TenantId,
  timestamp: new Date(time),
  receivedAt: ARRIVAL,
  numericValues,
  stringValues,
});

describe('a TelemetryPoint in JSON', () => {
  it('has exactly the documented JSON text', () => {
    expect(JSON.stringify(telemetryPointJson(point('2026-05-29T14:30:00Z', { temperature: 22.5 })))).toBe(
      `{"device_id":"${deviceId}","tenant_id":"acme","timestamp":"2026-05-29T14:30:00Z","numeric_values":{"temperature":22.5},"string_values":{},"received_at":"2026-05-29T14:30:01Z","timestamp_suspect":false}`,
    );
  });

  it('keeps milliseconds', () => {
    expect(telemetryPointJson(point('2026-05-29T14:30:00.250Z')).timestamp).toBe('2026-05-29T14:30:00.250Z');
  });

  it.each([
    ['1978-07-04T21:24:16Z', true],
    ['2036-02-07T06:28:16Z', true],
    ['2026-05-28T14:30:00.999Z', true],
    ['2026-05-28T14:30:01Z', false],
    ['2026-05-30T14:30:01Z', false],
  ])('says whether the time of the device is off by more than a day: %s, %s', (time, timestamp_suspect) => {
    expect(telemetryPointJson(point(time))).toMatchObject({ timestamp: time, timestamp_suspect });
  });

  it('is valid against its JSON Schema for any values', () => {
    const fits = schema('telemetry-point.schema.json');
    const values = fc.dictionary(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const texts = fc.dictionary(fc.string(), fc.string());
    const times = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(times, values, texts, (time, numeric, text) => {
        fits.parse(JSON.parse(JSON.stringify(telemetryPointJson(point(time.toISOString(), numeric, text)))));
      }),
    );
  });

  it('is invalid against the schema with a value of the wrong type or an unknown field', () => {
    const fits = schema('telemetry-point.schema.json');
    const good = telemetryPointJson(point('2026-05-29T14:30:00Z'));
    expect(fits.safeParse(good).success).toBe(true);
    for (const bad of [
      { ...good, numeric_values: { t: 'warm' } },
      { ...good, endpoint: 'urn:imei:123' },
      { ...good, timestamp: 1_780_065_000 },
      { ...good, device_id: 'urn:imei:123' },
    ]) {
      expect(fits.safeParse(bad).success).toBe(false);
    }
  });
});

describe('a TelemetryPoint in protobuf', () => {
  const ids = '0a2464376231633065322d356630612d346635372d396135652d306436663861316232633364120461636d65';

  const arrival = '320608e9c5e6d006';

  // Encoded by protobufjs 7 with data/events/telemetry-point.proto.
  it.each<[string, TelemetryPoint, string]>([
    [
      'one metric',
      point('2026-05-29T14:30:00Z', { temperature: 22.5 }),
      `${ids}1a0608e8c5e6d00622160a0b74656d7065726174757265110000000000803640${arrival}`,
    ],
    [
      'before 1970, with a fraction, zero, empty and long values',
      point('1969-12-31T23:59:58.750Z', { a: 0, b: -1.5e300 }, { '': '', Ω: 'x'.repeat(200) }),
      `${ids}1a1108feffffffffffffffff011080afd0e502220c0a0161110000000000000000220c0a016211355800662deb41fe` +
        `2a040a0012002acf010a02cea912c801${'78'.repeat(200)}${arrival}3801`,
    ],
    [
      'at the epoch',
      point('1970-01-01T00:00:00Z', {}, { model: 'TL-1' }),
      `${ids}1a002a0d0a056d6f64656c1204544c2d31${arrival}3801`,
    ],
  ])('has the same bytes as from protobufjs: %s', (_case, made, hex) => {
    expect(Buffer.from(telemetryPointProtobuf(telemetryPointJson(made))).toString('hex')).toBe(hex);
  });

  it('has the same fields in the .proto file and in the JSON Schema', () => {
    const fields = [...contract('telemetry-point.proto').matchAll(/^ {2}([\w.<>, ]+) (\w+) = (\d+);$/gm)];
    expect(fields.map(([, type, name, number]) => [type, name, Number(number)])).toEqual([
      ['string', 'device_id', 1],
      ['string', 'tenant_id', 2],
      ['google.protobuf.Timestamp', 'timestamp', 3],
      ['map<string, double>', 'numeric_values', 4],
      ['map<string, string>', 'string_values', 5],
      ['google.protobuf.Timestamp', 'received_at', 6],
      ['bool', 'timestamp_suspect', 7],
    ]);
    const { properties } = JSON.parse(contract('telemetry-point.schema.json'));
    expect(fields.map(([, , name]) => name)).toEqual(Object.keys(properties));
  });
});

describe('a DeviceStatus in JSON', () => {
  const event: DeviceStatusEvent = {
    deviceId,
    tenantId: 'acme' as TenantId,
    endpoint: 'urn:imei:123',
    status: 'offline',
    previous: 'online',
    reason: 'expired',
    lastSeen: new Date('2026-05-29T14:30:00Z'),
    at: new Date('2026-05-29T14:40:00.001Z'),
  };

  it('is valid against its JSON Schema', () => {
    const fits = schema('device-status.schema.json');
    const json = deviceStatusJson(crypto.randomUUID(), event);
    expect(json).toMatchObject({ last_seen: '2026-05-29T14:30:00Z', at: '2026-05-29T14:40:00.001Z' });
    fits.parse(json);
    fits.parse(deviceStatusJson(crypto.randomUUID(), { ...event, previous: null, lastSeen: null }));
    expect(fits.safeParse({ ...json, reason: 'asleep' }).success).toBe(false);
  });
});
