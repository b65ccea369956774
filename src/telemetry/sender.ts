import type { OutgoingRecord } from './record.ts';

/** Sends records to a broker. */
export interface EventSender {
  /**
   * Resolves when the broker has stored all records, in order for each key. Rejects with a TelemetryError; some records
   * may be stored even then.
   */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  /** Resolves when a broker answered a request that concerns no topic. Rejects with TelemetryError UNREACHABLE. */
  check(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}
