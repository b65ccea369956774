import type { DeviceStatusEvent } from '../fleet/index.ts';
import { rfc3339 } from './metric-value.ts';
import { isTimestampSuspect, type TelemetryPoint } from './point.ts';

/** The JSON form of a TelemetryPoint: data/events/telemetry-point.schema.json. */
export interface TelemetryPointJson {
  readonly device_id: string;
  readonly tenant_id: string;
  /** RFC 3339 */
  readonly timestamp: string;
  readonly numeric_values: Readonly<Record<string, number>>;
  readonly string_values: Readonly<Record<string, string>>;
  /** RFC 3339. This and `timestamp_suspect` are absent in an outbox row of an older version. */
  readonly received_at?: string;
  readonly timestamp_suspect?: boolean;
}

/** The JSON form of a DeviceStatus: data/events/device-status.schema.json. */
export interface DeviceStatusJson {
  readonly event_id: string;
  readonly device_id: string;
  readonly tenant_id: string;
  readonly endpoint: string;
  readonly status: DeviceStatusEvent['status'];
  readonly previous: DeviceStatusEvent['previous'];
  readonly reason: DeviceStatusEvent['reason'];
  readonly last_seen: string | null;
  readonly at: string;
}

export function telemetryPointJson(point: TelemetryPoint): TelemetryPointJson {
  return {
    device_id: point.deviceId,
    tenant_id: point.tenantId,
    timestamp: rfc3339(point.timestamp.getTime()),
    numeric_values: point.numericValues,
    string_values: point.stringValues,
    received_at: rfc3339(point.receivedAt.getTime()),
    timestamp_suspect: isTimestampSuspect(point),
  };
}

export function deviceStatusJson(eventId: string, event: DeviceStatusEvent): DeviceStatusJson {
  return {
    event_id: eventId,
    device_id: event.deviceId,
    tenant_id: event.tenantId,
    endpoint: event.endpoint,
    status: event.status,
    previous: event.previous,
    reason: event.reason,
    last_seen: event.lastSeen === null ? null : rfc3339(event.lastSeen.getTime()),
    at: rfc3339(event.at.getTime()),
  };
}
