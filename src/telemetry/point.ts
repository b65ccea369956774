import type { DeviceId, TenantId } from '../fleet/index.ts';

/** One telemetry point: the metrics of a device at one time, as stored and as published. */
export interface TelemetryPoint {
  readonly eventId: string;
  readonly deviceId: DeviceId;
  readonly tenantId: TenantId;
  /** When the reading was taken. */
  readonly timestamp: Date;
  readonly numericValues: Readonly<Record<string, number>>;
  readonly stringValues: Readonly<Record<string, string>>;
}

/** Key: `${tenantId}/${deviceId}`. */
export interface TelemetryEvents {
  readonly telemetry: TelemetryPoint;
}
