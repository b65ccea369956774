import type { DirectionKeys } from './key-schedule.ts';
import { type CipherKeys, cipherKeys, directionKeys, type Protection } from './protection.ts';
import { CONTENT, type DtlsRecord, MAX_PLAINTEXT, MAX_SEQUENCE } from './record.ts';
import { type ReplayState, ReplayWindow } from './replay.ts';

/** Renegotiation is refused, so no other protected epoch ever comes. */
const EPOCH = 1;

export interface ChannelState {
  readonly readKeys: DirectionKeys;
  readonly writeKeys: DirectionKeys;
  readonly nextSequence: number;
  readonly replay: ReplayState;
  /** What the peer's records must carry; null when no Connection ID was negotiated. */
  readonly readCid: Buffer | null;
  /** What our records carry; empty when the peer asked for none in its direction. */
  readonly writeCid: Buffer | null;
}

export interface OpenedRecord {
  readonly type: number;
  readonly content: Buffer;
  /** Newer than every record before it, which RFC 9146 §6 asks of one that moves the peer's address. */
  readonly newest: boolean;
}

export type OpenFailure = 'replayed' | 'forged' | 'without_cid' | 'malformed';

/** The protected records of one connection in both directions. */
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

  /** A whole record; null once the sequence numbers are used up (RFC 6347 §4.1: they must not wrap). */
  seal(type: number, content: Buffer): Buffer | null {
    if (this.#nextSequence > MAX_SEQUENCE) return null;
    const sequence = this.#nextSequence++;
    const cid = this.#writeCid;
    const header = { type: cid === null ? type : CONTENT.tls12Cid, epoch: EPOCH, sequence, cid };
    // RFC 9146 §4: the real type goes behind the content, inside the encryption.
    const inner = cid === null ? content : Buffer.concat([content, Buffer.from([type])]);
    return this.#protection.seal(this.#writeKeys, header, inner);
  }

  open(record: DtlsRecord): OpenedRecord | OpenFailure {
    if (record.epoch !== EPOCH) return 'malformed';
    // RFC 9146 §3: once negotiated, the Connection ID must be there.
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

/** RFC 9146 §4: DTLSInnerPlaintext is the content, its real type, and any number of zeros. -1 when there is no type. */
function contentEnd(inner: Buffer): number {
  let last = inner.length - 1;
  while (last >= 0 && inner[last] === 0) last--;
  return last;
}
