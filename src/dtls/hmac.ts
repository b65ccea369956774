import { hash } from 'node:crypto';

const BLOCK = 64;
const DIGEST = 32;

/**
 * HMAC with SHA-256 (RFC 2104) under one key. `createHmac` makes three contexts and three objects for each use, which for
 * messages as short as a handshake's costs twice what this does with the one-shot hash.
 */
export class Hmac {
  /** The key under ipad. */
  readonly #inner = Buffer.alloc(BLOCK, 0x36);
  /** The key under opad, and room for the inner digest. */
  readonly #outer = Buffer.alloc(BLOCK + DIGEST, 0x5c);

  constructor(key: Buffer) {
    const short = key.length > BLOCK ? hash('sha256', key, 'buffer') : key;
    for (let i = 0; i < short.length; i++) {
      const byte = short.readUInt8(i);
      this.#inner.writeUInt8(byte ^ 0x36, i);
      this.#outer.writeUInt8(byte ^ 0x5c, i);
    }
  }

  digest(...message: readonly Buffer[]): Buffer {
    // As a string of bytes a digest comes without an ArrayBuffer, which would cost more than the hashing.
    this.#outer.write(hash('sha256', Buffer.concat([this.#inner, ...message]), 'binary'), BLOCK, 'binary');
    return Buffer.from(hash('sha256', this.#outer, 'binary'), 'binary');
  }
}
