import { DtlsError } from './error.ts';
import { encodeMessage, type HandshakeFragment } from './messages.ts';

/** A certificate chain is the longest thing a device sends. */
const MAX_MESSAGE = 16 * 1024;
const MAX_AHEAD = 8;
/** Of all unfinished messages of one handshake together. */
const MAX_BUFFERED = 2 * MAX_MESSAGE;
/** Disjoint pieces of one message; a peer that makes more is not sending a message. */
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
  /** With its header, in one piece, for the transcript. */
  readonly encoded: Buffer;
}

/** Puts handshake messages together from fragments that come in any order, doubled or overlapping: RFC 6347 §4.2.3. */
export class Reassembly {
  readonly #incomplete = new Map<number, Incomplete>();
  #next: number;
  #buffered = 0;

  constructor(firstSequence: number) {
    this.#next = firstSequence;
  }

  /** Of the next message that `take` gives. */
  get nextSequence(): number {
    return this.#next;
  }

  /** Drops what is old, too far ahead or at odds with earlier fragments; throws `illegal_parameter` for a message that is too long. */
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

  /** The next message in order, once it is whole. */
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

/** Adds a piece and merges what touches it. */
function withPiece(pieces: Incomplete['pieces'], start: number, end: number): Incomplete['pieces'] {
  if (pieces.length === 0) return [[start, end]];
  const before = pieces.filter((piece) => piece[1] < start);
  const after = pieces.filter((piece) => piece[0] > end);
  const touching = pieces.slice(before.length, pieces.length - after.length);
  const merged = [Math.min(start, touching[0]?.[0] ?? start), Math.max(end, touching.at(-1)?.[1] ?? end)] as const;
  return [...before, merged, ...after];
}
