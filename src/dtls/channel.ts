import type { DirectionKeys } from './key-schedule.ts';
import { type CipherKeys, cipherKeys, directionKeys, type Protection } from './protection.ts';
import { CONTENT, type DtlsRecord, MAX_PLAINTEXT, MAX_SEQUENCE } from './record.ts';
import { type ReplayState, ReplayWindow } from './replay.ts';

/** The only protected epoch: the server refuses renegotiation, so epoch 2 never starts. */
const EPOCH = 1;

export interface ChannelState {
  readonly readKeys: DirectionKeys;
  readonly writeKeys: DirectionKeys;
  readonly nextSequence: number;
  readonly replay: ReplayState;
  /** The Connection ID that the peer's records must carry; null when none was negotiated. */
  readonly readCid: Buffer | null;
  /**
   * The Connection ID of the server's records; empty when the peer negotiated a zero-length one, null when none was
   * negotiated.
   */
  readonly writeCid: Buffer | null;
}

export interface OpenedRecord {
  readonly type: number;
  readonly content: Buffer;
  /**
   * True when the record is newer than all earlier ones. RFC 9146 §6 requires this before the peer's address changes.
   */
  readonly newest: boolean;
}

export type OpenFailure = 'replayed' | 'forged' | 'without_cid' | 'malformed';

/** Protects and opens the records of one connection. */
export class Channel {
  readonly #protection: Protection;
  readonly #readKeys: CipherKeys;
  readonly #writeKeys: CipherKeys;
  readonly #replay: ReplayWindow;
  readonly #readCid: Buffer | null;
  readonly #writeCid: Buffer | null;
  #nextSequence: number;

  constructor(protection: Protection, state: ChannelState) {
    this.#protection = protection;
    this.#readKeys = cipherKeys(state.readKeys);
    this.#writeKeys = cipherKeys(state.writeKeys);
    this.#replay = new ReplayWindow(state.replay);
    this.#readCid = state.readCid;
    this.#writeCid = state.writeCid === null || state.writeCid.length === 0 ? null : state.writeCid;
    this.#nextSequence = state.nextSequence;
  }

  get readCid(): Buffer | null {
    return this.#readCid;
  }

  /** Returns a complete record; null when the sequence numbers are used up (RFC 6347 §4.1: they must not wrap). */
  seal(type: number, content: Buffer): Buffer | null {
    if (this.#nextSequence > MAX_SEQUENCE) return null;
    const sequence = this.#nextSequence++;
    const cid = this.#writeCid;
    const header = { type: cid === null ? type : CONTENT.tls12Cid, epoch: EPOCH, sequence, cid };
    // RFC 9146 §4: the real type follows the content and is encrypted with it.
    const inner = cid === null ? content : Buffer.concat([content, Buffer.from([type])]);
    return this.#protection.seal(this.#writeKeys, header, inner);
  }

  open(record: DtlsRecord): OpenedRecord | OpenFailure {
    if (record.epoch !== EPOCH) return 'malformed';
    // RFC 9146 §3: after negotiation, every record must carry the Connection ID.
    if ((record.cid === null) !== (this.#readCid === null)) return 'without_cid';
    if (!this.#replay.accepts(record.sequence)) return 'replayed';
    const inner = this.#protection.open(this.#readKeys, record, record.fragment);
    if (inner === null) return 'forged';
    const newest = this.#replay.mark(record.sequence);
    const end = record.cid === null ? inner.length : contentEnd(inner);
    if (end < 0 || end > MAX_PLAINTEXT) return 'malformed';
    if (record.cid === null) return { type: record.type, content: inner, newest };
    return { type: inner.readUInt8(end), content: inner.subarray(0, end), newest };
  }

  get state(): ChannelState {
    return {
      readKeys: directionKeys(this.#readKeys),
      writeKeys: directionKeys(this.#writeKeys),
      nextSequence: this.#nextSequence,
      replay: this.#replay.state,
      readCid: this.#readCid,
      writeCid: this.#writeCid,
    };
  }
}

/**
 * RFC 9146 §4: DTLSInnerPlaintext is the content, its real type and any number of zeros. Returns -1 when the type is
 * missing.
 */
function contentEnd(inner: Buffer): number {
  let last = inner.length - 1;
  while (last >= 0 && inner[last] === 0) last--;
  return last;
}
