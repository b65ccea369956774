import { type Cipher, createCipheriv, type KeyObject } from 'node:crypto';

export const AES_BLOCK = 16;
const ZEROS = Buffer.alloc(AES_BLOCK);

/** How many keys, over all sessions, keep their ciphers: some 2 KiB each. */
const KEPT = 2_048;
/** Whose they are, a ring that is overwritten from its oldest entry on. */
const keepers: (AesKey | undefined)[] = [];
let oldest = 0;

interface Ciphers {
  readonly ecb: Cipher;
  readonly cbc: Cipher;
}

/**
 * AES-128 on whole blocks under one key. To make a cipher object costs several times what it then does for a record, so
 * a key keeps its two from one record to the next, until so many other keys were used that it has to make room.
 */
export class AesKey {
  readonly secret: KeyObject;
  #used = false;
  #ciphers: Ciphers | null = null;
  /** The last block that CBC gave, which it adds to the next one it takes. */
  #feedback: Buffer = ZEROS;

  constructor(secret: KeyObject) {
    this.secret = secret;
  }

  /** Asked for each record. For the first one no cipher is worth keeping: it may be the handshake's last, and the key's. */
  isUsedAgain(): boolean {
    const again = this.#used;
    this.#used = true;
    return again;
  }

  /** Each block by itself. */
  encrypt(blocks: Buffer): Buffer {
    return this.#kept.ecb.update(blocks);
  }

  /** CBC-MAC: the last block of CBC that starts from zeros. Overwrites the first block. */
  chain(blocks: Buffer): Buffer {
    const { cbc } = this.#kept;
    for (let i = 0; i < AES_BLOCK; i++) blocks[i] = (blocks[i] ?? 0) ^ (this.#feedback[i] ?? 0);
    const chained = cbc.update(blocks);
    this.#feedback = chained.subarray(chained.length - AES_BLOCK);
    return this.#feedback;
  }

  get #kept(): Ciphers {
    return (this.#ciphers ??= this.#makeCiphers());
  }

  #makeCiphers(): Ciphers {
    const former = keepers[oldest];
    if (former !== undefined) former.#forget();
    keepers[oldest] = this;
    oldest = (oldest + 1) % KEPT;
    return {
      ecb: createCipheriv('aes-128-ecb', this.secret, null).setAutoPadding(false),
      cbc: createCipheriv('aes-128-cbc', this.secret, ZEROS).setAutoPadding(false),
    };
  }

  #forget(): void {
    this.#used = false;
    this.#ciphers = null;
    this.#feedback = ZEROS;
  }
}
