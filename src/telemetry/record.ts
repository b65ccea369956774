import type { TelemetryPointJson } from './event-json.ts';
import { telemetryPointProtobuf } from './event-protobuf.ts';
import type { WaitingEvent } from './outbox.ts';

/** A record for the broker. */
export interface OutgoingRecord {
  /** The device's id: the records of one device share a partition and so keep their order. */
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<'event-id' | 'content-type' | 'schema', string>>;
}

/** The topics of events and the format of telemetry points. */
export interface EventFormat {
  /** Topic templates; `{tenant_id}` is replaced by the tenant's id. */
  readonly telemetryTopic: string;
  readonly statusTopic: string;
  /** Format of telemetry points; status events are always JSON. */
  readonly format: 'json' | 'protobuf';
}

/** Name and version of each event's schema in data/events. An incompatible change requires a new version. */
const SCHEMAS = { telemetry: 'TelemetryPoint/1', status: 'DeviceStatus/1' } as const;

export function topicOf({ kind, tenantId }: WaitingEvent, { telemetryTopic, statusTopic }: EventFormat): string {
  return (kind === 'telemetry' ? telemetryTopic : statusTopic).replaceAll('{tenant_id}', tenantId);
}

export function recordOf({ eventId, deviceId, kind, event }: WaitingEvent, { format }: EventFormat): OutgoingRecord {
  const protobuf = kind === 'telemetry' && format === 'protobuf';
  return {
    key: deviceId,
    // ingest.ts wrote the row: an event of kind telemetry is a TelemetryPointJson.
    value: protobuf ? telemetryPointProtobuf(event as TelemetryPointJson) : Buffer.from(JSON.stringify(event)),
    headers: {
      'event-id': eventId,
      'content-type': protobuf ? 'application/x-protobuf' : 'application/json',
      schema: SCHEMAS[kind],
    },
  };
}
