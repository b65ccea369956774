import type { DeviceId, TenantId } from '../fleet/index.ts';

/** One telemetry point: the metrics of a device at one time, as stored and as published. */
export interface TelemetryPoint {
  readonly eventId: string;
  readonly deviceId: DeviceId;
  readonly tenantId: TenantId;
  /** When the reading was taken, according to the device. */
  readonly timestamp: Date;
  /** When the server received it. */
  readonly receivedAt: Date;
  readonly numericValues: Readonly<Record<string, number>>;
  readonly stringValues: Readonly<Record<string, string>>;
}

const DAY_MS = 24 * 3_600_000;

/** True if the device's time and the arrival differ by more than a day: the device's clock may be wrong. */
export function isTimestampSuspect({
  timestamp,
  receivedAt,
}: Pick<TelemetryPoint, 'timestamp' | 'receivedAt'>): boolean {
  return Math.abs(timestamp.getTime() - receivedAt.getTime()) > DAY_MS;
}

/** Key: `${tenantId}/${deviceId}`. */
export interface TelemetryEvents {
  readonly telemetry: TelemetryPoint;
}
