import { describe, expect, it } from 'vitest';

import { telemetryPointProtobuf } from '../../src/telemetry/event-protobuf.ts';
import type { WaitingEvent } from '../../src/telemetry/outbox.ts';
import { recordOf, topicOf, type EventFormat } from '../../src/telemetry/record.ts';

const point = {
  device_id: 'd7b1c0e2-5f0a-4f57-9a5e-0d6f8a1b2c3d',
  tenant_id: 'acme',
  timestamp: '2026-05-29T14:30:00Z',
  numeric_values: { temperature: 22.5 },
  string_values: {},
};

const event = (kind: WaitingEvent['kind']): WaitingEvent => ({
  id: 1,
  eventId: 'an id',
  tenantId: 'acme',
  deviceId: point.device_id,
  kind,
  event: point,
});

const format = (name: EventFormat['format']): EventFormat => ({
  telemetryTopic: '{tenant_id}.telemetry.{tenant_id}',
  statusTopic: 'status.{tenant_id}',
  format: name,
});

describe('a record', () => {
  it('goes to the topic of its kind, with the tenant at each placeholder of the template', () => {
    expect(topicOf(event('telemetry'), format('json'))).toBe('acme.telemetry.acme');
    expect(topicOf(event('status'), format('json'))).toBe('status.acme');
  });

  it.each([
    ['telemetry', 'json', 'application/json', 'TelemetryPoint/1'],
    ['telemetry', 'protobuf', 'application/x-protobuf', 'TelemetryPoint/1'],
    ['status', 'json', 'application/json', 'DeviceStatus/1'],
    ['status', 'protobuf', 'application/json', 'DeviceStatus/1'],
  ] as const)('of %s, with %s for points, is %s', (kind, name, contentType, schema) => {
    const record = recordOf(event(kind), format(name));
    expect(record).toMatchObject({
      key: point.device_id,
      headers: { 'event-id': 'an id', 'content-type': contentType, schema },
    });
    const json = contentType === 'application/json';
    const value = json ? Buffer.from(JSON.stringify(point)) : telemetryPointProtobuf(point);
    expect(Buffer.from(record.value)).toEqual(Buffer.from(value));
  });
});
