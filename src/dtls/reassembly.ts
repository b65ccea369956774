import { DtlsError } from './error.ts';
import { encodeMessage, type HandshakeFragment } from './messages.ts';

/** The longest message: a certificate chain. */
const MAX_MESSAGE = 16 * 1024;
const MAX_AHEAD = 8;
/** The limit for all unfinished messages of one handshake together. */
const MAX_BUFFERED = 2 * MAX_MESSAGE;
/** The limit for disjoint pieces of one message. A real peer never needs more. */
const MAX_PIECES = 64;

interface Incomplete {
  readonly type: number;
  readonly body: Buffer;
  /** Disjoint, in order. */
  pieces: readonly (readonly [start: number, end: number])[];
}

export interface HandshakeMessage {
  readonly type: number;
  readonly sequence: number;
  readonly body: Buffer;
  /** The whole message with its header, for the transcript. */
  readonly encoded: Buffer;
}

/**
 * Reassembles handshake messages from fragments, which may be out of order, duplicate or overlapping (RFC 6347 §4.2.3).
 */
export class Reassembly {
  readonly #incomplete = new Map<number, Incomplete>();
  #next: number;
  #buffered = 0;

  constructor(firstSequence: number) {
    this.#next = firstSequence;
  }

  /** The sequence number of the next message that `take` returns. */
  get nextSequence(): number {
    return this.#next;
  }

  /**
   * Drops a fragment that is old, too far ahead or inconsistent with earlier ones. Throws `illegal_parameter` when the
   * message is too long.
   */
  add(fragment: HandshakeFragment): void {
    if (fragment.length > MAX_MESSAGE) {
      throw new DtlsError(
        'illegal_parameter',
        `a handshake message of ${fragment.length} bytes is too long; the limit is ${MAX_MESSAGE}`,
      );
    }
    const { sequence, offset, body } = fragment;
    if (sequence < this.#next || sequence >= this.#next + MAX_AHEAD) return;
    let message = this.#incomplete.get(sequence);
    if (message === undefined) {
      if (this.#buffered + fragment.length > MAX_BUFFERED) return;
      message = { type: fragment.type, body: Buffer.alloc(fragment.length), pieces: [] };
      this.#incomplete.set(sequence, message);
      this.#buffered += fragment.length;
    }
    if (message.type !== fragment.type || message.body.length !== fragment.length) return;
    const pieces = withPiece(message.pieces, offset, offset + body.length);
    if (pieces.length > MAX_PIECES) return;
    body.copy(message.body, offset);
    message.pieces = pieces;
  }

  /** Returns the next message in order; null when it is not complete. */
  take(): HandshakeMessage | null {
    const sequence = this.#next;
    const message = this.#incomplete.get(sequence);
    if (message === undefined || !isComplete(message)) return null;
    this.#incomplete.delete(sequence);
    this.#buffered -= message.body.length;
    this.#next++;
    const { type, body } = message;
    return { type, sequence, body, encoded: encodeMessage(type, sequence, body) };
  }
}

function isComplete(message: Incomplete): boolean {
  const [first] = message.pieces;
  return first !== undefined && first[0] === 0 && first[1] === message.body.length;
}

/** Adds a piece and merges the pieces that touch it. */
function withPiece(pieces: Incomplete['pieces'], start: number, end: number): Incomplete['pieces'] {
  if (pieces.length === 0) return [[start, end]];
  const before = pieces.filter((piece) => piece[1] < start);
  const after = pieces.filter((piece) => piece[0] > end);
  const touching = pieces.slice(before.length, pieces.length - after.length);
  const merged = [Math.min(start, touching[0]?.[0] ?? start), Math.max(end, touching.at(-1)?.[1] ?? end)] as const;
  return [...before, merged, ...after];
}
