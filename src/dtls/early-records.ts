import type { DtlsRecord } from './record.ts';

const MAX_RECORDS = 8;
const MAX_BYTES = 2_048;

/**
 * Keeps protected records that arrive before their keys (RFC 6347 §4.1 allows this). The peer is not authenticated yet,
 * so the buffer is small; a Finished is shorter than 200 bytes. Records beyond the limits are lost like a datagram.
 */
export class EarlyRecords {
  #records: DtlsRecord[] = [];

  keep(record: DtlsRecord): void {
    const bytes = this.#records.reduce((sum, { fragment }) => sum + fragment.length, record.fragment.length);
    if (this.#records.length < MAX_RECORDS && bytes <= MAX_BYTES) this.#records.push(copied(record));
  }

  /** Removes and returns all kept records. */
  takeAll(): readonly DtlsRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }
}

function copied(record: DtlsRecord): DtlsRecord {
  const cid = record.cid === null ? null : Buffer.from(record.cid);
  return { ...record, cid, fragment: Buffer.from(record.fragment) };
}
