import type { Reading, ReadingOrigin } from '../../lwm2m/index.ts';
import type { Transaction } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import type { StatusReason } from '../devices/index.ts';
import type { MetricMapping } from '../profiles/index.ts';

/**
 * The readings of one notification, composite response, Read response or Send of a device. Readings with the same time
 * become one telemetry point.
 */
export interface TelemetryBatch {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** The present mappings of the device's profile. */
  readonly mappings: readonly MetricMapping[];
  /** In the order of the payload, without values that the server wrote. */
  readonly readings: readonly Reading[];
  /** Milliseconds since the Unix epoch. */
  readonly receivedAt: number;
  /** The time of a reading for which the device supplied none; `receivedAt`, except for a reading that arrived late. */
  readonly presumedAt: number;
  /** As in `ReadingBatch`. */
  readonly message: string | null;
}

/** The content of a `device.status` message. A device that sleeps within its lifetime is online. */
export interface DeviceStatusEvent {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly endpoint: string;
  readonly status: 'online' | 'offline';
  /** Null: the device was never seen before. */
  readonly previous: 'online' | 'offline' | null;
  readonly reason: Extract<
    StatusReason,
    'registered' | 'updated' | 'deregistered' | 'expired' | 'silent' | 'disconnected'
  >;
  readonly lastSeen: Date | null;
  readonly at: Date;
}

/** A payload of a device that could not be used, stored with the reason. */
export interface DeadLetter {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** The requested path, or `/dp` for a Send. */
  readonly path: string;
  readonly contentFormat: number | null;
  readonly bytes: Uint8Array;
  readonly reason: string;
  readonly origin: ReadingOrigin;
  readonly receivedAt: number;
}

/**
 * Receives the fleet's readings. Each method writes in the given transaction, which runs as one tenant, so that the last
 * values and the messages for the broker are stored together or not at all.
 */
export interface TelemetrySink {
  /**
   * Writes the points of several batches, all of the transaction's tenant, and their outbox rows in as few statements as
   * possible. Readings that cannot be mapped become dead letters. The caller calls the returned function after the commit
   * and never after a rollback: it notifies the subscriptions and the publisher.
   */
  record(tx: Transaction, batches: readonly TelemetryBatch[]): Promise<() => void>;
  /** Writes the outbox rows of `device.status`; the caller calls the returned function after the commit. */
  enqueueStatus(tx: Transaction, events: readonly DeviceStatusEvent[]): Promise<() => void>;
  /** Stores a payload that could not be used. */
  deadLetter(tx: Transaction, letter: DeadLetter): Promise<void>;
}
