import type { OutgoingRecord } from './record.ts';

/** The way to the broker, whatever speaks it. */
export interface EventSender {
  /**
   * Resolves once the broker has stored all of the records, those of one key in their order. Rejects with a
   * TelemetryError; then some may be stored all the same.
   */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}
