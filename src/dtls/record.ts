/** Content types (RFC 6347 §4.1, RFC 9146 §3). */
export const CONTENT = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
  tls12Cid: 25,
} as const;

export const VERSION_DTLS12 = 0xfefd;
export const VERSION_DTLS10 = 0xfeff;

/** All Connection IDs of the server have this length, so that a record can be parsed before its session is known. */
export const CID_LENGTH = 8;

/** The longest plaintext (RFC 5246 §6.2.1); a cipher may add at most 2048 bytes (§6.2.3). */
export const MAX_PLAINTEXT = 2 ** 14;
const MAX_FRAGMENT = MAX_PLAINTEXT + 2048;

export const MAX_SEQUENCE = 2 ** 48 - 1;
const HEADER_LENGTH = 13;

export interface DtlsRecord {
  readonly type: number;
  readonly version: number;
  readonly epoch: number;
  readonly sequence: number;
  /** Null in records without a Connection ID. */
  readonly cid: Buffer | null;
  /** A view into the datagram. */
  readonly fragment: Buffer;
}

const NONE: readonly DtlsRecord[] = [];

/**
 * Returns the records of a datagram up to the first malformed one. The rest is discarded silently (RFC 6347 §4.1.2.7).
 */
export function parseRecords(datagram: Buffer): readonly DtlsRecord[] {
  let offset = 0;
  let records: DtlsRecord[] | null = null;
  while (datagram.length - offset >= HEADER_LENGTH) {
    const type = datagram.readUInt8(offset);
    const version = datagram.readUInt16BE(offset + 1);
    if (type < CONTENT.changeCipherSpec || type > CONTENT.tls12Cid || type === 24) break;
    if (version !== VERSION_DTLS12 && version !== VERSION_DTLS10) break;
    const cidLength = type === CONTENT.tls12Cid ? CID_LENGTH : 0;
    const start = offset + HEADER_LENGTH + cidLength;
    if (start > datagram.length) break;
    const end = start + datagram.readUInt16BE(start - 2);
    if (end > datagram.length || end - start > MAX_FRAGMENT) break;
    records ??= [];
    records.push({
      type,
      version,
      epoch: datagram.readUInt16BE(offset + 3),
      sequence: datagram.readUIntBE(offset + 5, 6),
      cid: cidLength === 0 ? null : datagram.subarray(offset + 11, offset + 11 + cidLength),
      fragment: datagram.subarray(start, end),
    });
    offset = end;
  }
  return records ?? NONE;
}

export interface RecordHeader {
  readonly type: number;
  readonly epoch: number;
  readonly sequence: number;
  /** The receiver's Connection ID with up to 255 bytes; null in records without one. */
  readonly cid: Buffer | null;
}

export function encodeRecord(header: RecordHeader, fragment: Buffer, version = VERSION_DTLS12): Buffer {
  const record = allocateRecord(header, fragment.length, version);
  fragment.copy(record, record.length - fragment.length);
  return record;
}

/** Returns a record with its header. The caller writes the fragment into the last `length` bytes. */
export function allocateRecord(header: RecordHeader, length: number, version = VERSION_DTLS12): Buffer {
  const { cid } = header;
  const start = cid === null ? HEADER_LENGTH : HEADER_LENGTH + cid.length;
  const record = Buffer.allocUnsafe(start + length);
  record.writeUInt8(header.type, 0);
  record.writeUInt16BE(version, 1);
  record.writeUInt16BE(header.epoch, 3);
  record.writeUIntBE(header.sequence, 5, 6);
  cid?.copy(record, 11);
  record.writeUInt16BE(length, start - 2);
  return record;
}

/**
 * The data that the MAC or the AEAD covers in addition to the content: RFC 5246 §6.2.3.3 with the epoch before the
 * sequence number (RFC 6347 §4.1.2.1), or RFC 9146 §5 when the record carries a Connection ID.
 */
export function additionalData(header: RecordHeader, length: number): Buffer {
  const { cid } = header;
  if (cid === null) {
    const data = Buffer.allocUnsafe(13);
    data.writeUInt16BE(header.epoch, 0);
    data.writeUIntBE(header.sequence, 2, 6);
    data.writeUInt8(header.type, 8);
    data.writeUInt16BE(VERSION_DTLS12, 9);
    data.writeUInt16BE(length, 11);
    return data;
  }
  const data = Buffer.allocUnsafe(23 + cid.length);
  data.fill(0xff, 0, 8);
  data.writeUInt8(CONTENT.tls12Cid, 8);
  data.writeUInt8(cid.length, 9);
  data.writeUInt8(CONTENT.tls12Cid, 10);
  data.writeUInt16BE(VERSION_DTLS12, 11);
  data.writeUInt16BE(header.epoch, 13);
  data.writeUIntBE(header.sequence, 15, 6);
  cid.copy(data, 21);
  data.writeUInt16BE(length, 21 + cid.length);
  return data;
}
