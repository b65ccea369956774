import type { Actor, DeviceId, Page, PageRequest } from '../fleet/index.ts';
import type { TelemetryPoint } from './point.ts';

export interface HistoryFilter {
  /** Only points with one of these metrics, and only these of their values. */
  readonly metrics?: readonly string[] | null;
  /** From (inclusive) and to (exclusive). */
  readonly from?: Date | null;
  readonly to?: Date | null;
}

/** Stored points, newest first. */
export interface TelemetryHistory {
  page(actor: Actor, deviceId: DeviceId, request: PageRequest, filter?: HistoryFilter): Promise<Page<TelemetryPoint>>;
}
