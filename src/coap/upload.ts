import { LARGEST_BLOCK, blockOption, type Block } from './block.ts';
import { Body } from './body.ts';
import { codes } from './code.ts';
import type { Code } from './endpoint.ts';
import { HeldBodies } from './held-bodies.ts';
import type { CoapLimits } from './limits.ts';
import { copyOf, type MessageOption } from './message.ts';
import { optionNumbers, uintOption, type RequestOptions } from './option.ts';
import type { PeerState } from './peer.ts';

interface Upload {
  readonly body: Body;
  readonly contentFormat: number | null;
}

export type UploadStep =
  | { readonly whole: true; readonly payload: Uint8Array }
  | { readonly whole: false; readonly code: Code; readonly options: readonly MessageOption[] };

/** Assembles request bodies that arrive in blocks (Block1, RFC 7959 §2.5). */
export class Uploads {
  readonly #held: HeldBodies<Upload>;
  readonly #bodyBytes: number;

  constructor(limits: CoapLimits, lifetimeMs: number) {
    this.#held = new HeldBodies(limits.uploadBytes, limits, lifetimeMs);
    this.#bodyBytes = limits.bodyBytes;
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

  /**
   * Adds a block. `key` identifies the body by peer, method, URI and Request-Tag (RFC 9175 §3.3), but not by token,
   * which may differ in each block (RFC 7959 §2.5).
   */
  take(
    key: string,
    state: PeerState,
    block: Block,
    options: RequestOptions,
    payload: Uint8Array,
    now: number,
  ): UploadStep {
    const refuse = (code: Code, extra: readonly MessageOption[] = []): UploadStep => {
      if (code !== codes.requestEntityIncomplete) this.#held.get(key)?.drop();
      return { whole: false, code, options: [blockOption(optionNumbers.block1, block), ...extra] };
    };
    // RFC 7959 §2.2: every block except the last is full.
    if (block.more ? payload.length !== block.size : payload.length > block.size) return refuse(codes.badRequest);

    const offset = block.number * block.size;
    const known = block.number === 0 ? undefined : this.#held.get(key);
    const received = known?.content.body.length ?? 0;
    // Size1 reserves no memory, but a body that it announces as too large is refused now.
    if (Math.max(offset + payload.length, options.size1 ?? 0) > this.#bodyBytes) {
      return refuse(codes.requestEntityTooLarge, [uintOption(optionNumbers.size1, this.#bodyBytes)]);
    }
    if (block.number > 0) {
      const fits = known && offset <= received && known.content.contentFormat === options.contentFormat;
      // RFC 7959 §2.9.2: earlier blocks are missing, or the block belongs to another body.
      if (!fits) return refuse(codes.requestEntityIncomplete);
      // The block was received before: its acknowledgement was lost and the peer sends it in a new message.
      if (offset < received) return this.#proceed(block);
    }

    if (!block.more && block.number === 0) {
      this.#held.get(key)?.drop();
      return { whole: true, payload: copyOf(payload) };
    }
    const upload = known ?? this.#held.add(key, state, { body: new Body(), contentFormat: options.contentFormat }, now);
    const { body } = upload.content;
    if (!this.#held.resize(upload, body.capacityFor(payload.length))) {
      return refuse(codes.requestEntityTooLarge, [uintOption(optionNumbers.size1, this.#bodyBytes)]);
    }
    body.append(payload);
    if (!block.more) {
      upload.drop();
      return { whole: true, payload: body.bytes() };
    }
    this.#held.touch(upload, now);
    return this.#proceed(block);
  }

  #proceed(block: Block): UploadStep {
    const size = Math.min(block.size, LARGEST_BLOCK);
    return { whole: false, code: codes.continue, options: [blockOption(optionNumbers.block1, { ...block, size })] };
  }
}
