import type { Reading, ReadingOrigin } from '../../lwm2m/index.ts';
import type { Transaction } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import type { StatusReason } from '../devices/index.ts';
import type { MetricMapping } from '../profiles/index.ts';

/** The readings of one notification, composite, read or Send of one device: those with the same time share a point. */
export interface TelemetryBatch {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** The mappings of the device's profile as they are now. */
  readonly mappings: readonly MetricMapping[];
  /** In the order of the payload; never readings that we wrote ourselves. */
  readonly readings: readonly Reading[];
  /** Milliseconds since the Unix epoch: the time of a reading that says none. */
  readonly receivedAt: number;
}

/** What `device.status` carries. A device asleep inside its lifetime is online. */
export interface DeviceStatusEvent {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly endpoint: string;
  readonly status: 'online' | 'offline';
  /** Null: it was never seen before. */
  readonly previous: 'online' | 'offline' | null;
  readonly reason: Extract<StatusReason, 'registered' | 'updated' | 'deregistered' | 'expired' | 'silent'>;
  readonly lastSeen: Date | null;
  readonly at: Date;
}

/** Bytes of a device that could not be used, kept with the reason. */
export interface DeadLetter {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** Where the payload came for: the path asked, or `/dp` of a Send. */
  readonly path: string;
  readonly contentFormat: number | null;
  readonly bytes: Uint8Array;
  readonly reason: string;
  readonly origin: ReadingOrigin;
  readonly receivedAt: number;
}

/**
 * Where the fleet's readings go on to. Each method writes in the transaction it is given, which runs as one tenant, so
 * that last values and what leaves for the broker are stored together or not at all.
 */
export interface TelemetrySink {
  /**
   * Makes points and their outbox rows of several batches (all of the transaction's tenant) in as few statements as it
   * can; what can't be mapped goes to the dead letters. The function it resolves with is called after the commit, never
   * after a rollback: it tells subscriptions and the publisher.
   */
  record(tx: Transaction, batches: readonly TelemetryBatch[]): Promise<() => void>;
  /** Writes the outbox rows of `device.status`; the function it resolves with is called after the commit. */
  enqueueStatus(tx: Transaction, events: readonly DeviceStatusEvent[]): Promise<() => void>;
  deadLetter(tx: Transaction, letter: DeadLetter): Promise<void>;
}
