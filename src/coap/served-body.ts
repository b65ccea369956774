import { createHash } from 'node:crypto';
import { blockAt, blockOption } from './block.ts';
import { HeldBodies } from './held-bodies.ts';
import type { CoapLimits } from './limits.ts';
import type { Code } from './endpoint.ts';
import type { MessageOption } from './message.ts';
import { optionNumbers, uintOption } from './option.ts';
import type { PeerState } from './peer.ts';

/** A response whose payload the peer reads block by block (Block2, RFC 7959 §2.4). */
export interface ServedBody {
  readonly code: Code;
  /** The options of every block: Content-Format, Max-Age, ETag. */
  readonly options: readonly MessageOption[];
  readonly payload: Uint8Array;
}

const ETAG_BYTES = 8;

/** Adds an ETag, so that the peer does not combine blocks of different bodies (RFC 7959 §2.4). */
export function servedBody(code: Code, options: readonly MessageOption[], payload: Uint8Array): ServedBody {
  const etag = createHash('sha256').update(payload).digest().subarray(0, ETAG_BYTES);
  return { code, options: [...options, { number: optionNumbers.etag, value: etag }], payload };
}

/** Block `number` of the body; null when it starts after the end. */
export function serveBlock(
  { options, payload }: ServedBody,
  number: number,
  size: number,
): { readonly options: readonly MessageOption[]; readonly payload: Uint8Array } | null {
  const block = blockAt(number, size, payload.length);
  if (!block) return null;
  const extra = [blockOption(optionNumbers.block2, block)];
  if (number === 0) extra.push(uintOption(optionNumbers.size2, payload.length));
  const offset = number * size;
  return { options: [...options, ...extra], payload: payload.subarray(offset, offset + size) };
}

/** Keeps responses that peers read block by block, so that the handler runs once and not for each block. */
export class ServedBodies {
  readonly #held: HeldBodies<ServedBody>;

  constructor(limits: CoapLimits, lifetimeMs: number) {
    this.#held = new HeldBodies(limits.servedBytes, limits, lifetimeMs);
  }

  get bytes(): number {
    return this.#held.bytes;
  }

  /** How many bodies made room for others. */
  get evicted(): number {
    return this.#held.evicted;
  }

  sweep(now: number): void {
    this.#held.sweep(now);
  }

  get(key: string, now: number): ServedBody | undefined {
    const held = this.#held.get(key);
    if (held) this.#held.touch(held, now);
    return held?.content;
  }

  /** Does not keep a body that is too large: the handler runs again for each further block. */
  keep(key: string, state: PeerState, body: ServedBody, now: number): void {
    const held = this.#held.add(key, state, body, now);
    if (!this.#held.resize(held, body.payload.length)) held.drop();
  }
}
