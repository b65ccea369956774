import type { TelemetryPointJson } from './event-json.ts';
import { telemetryPointProtobuf } from './event-protobuf.ts';
import type { WaitingEvent } from './outbox.ts';

/** A record as it goes to the broker. */
export interface OutgoingRecord {
  /** The device's id: one device's records share a partition and so keep their order. */
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<'event-id' | 'content-type' | 'schema', string>>;
}

/** Where events go to, and how. */
export interface EventFormat {
  /** Topic templates; `{tenant_id}` is filled in. */
  readonly telemetryTopic: string;
  readonly statusTopic: string;
  /** Of telemetry points; a status is always JSON. */
  readonly format: 'json' | 'protobuf';
}

/** Name and version of each event's contract in data/events; a change that breaks readers is a new version. */
const SCHEMAS = { telemetry: 'TelemetryPoint/1', status: 'DeviceStatus/1' } as const;

export function topicOf({ kind, tenantId }: WaitingEvent, { telemetryTopic, statusTopic }: EventFormat): string {
  return (kind === 'telemetry' ? telemetryTopic : statusTopic).replaceAll('{tenant_id}', tenantId);
}

export function recordOf({ eventId, deviceId, kind, event }: WaitingEvent, { format }: EventFormat): OutgoingRecord {
  const protobuf = kind === 'telemetry' && format === 'protobuf';
  return {
    key: deviceId,
    // `ingest` wrote the row: an event of the kind telemetry is a TelemetryPoint in JSON.
    value: protobuf ? telemetryPointProtobuf(event as TelemetryPointJson) : Buffer.from(JSON.stringify(event)),
    headers: {
      'event-id': eventId,
      'content-type': protobuf ? 'application/x-protobuf' : 'application/json',
      schema: SCHEMAS[kind],
    },
  };
}
