import { type Cipher, createCipheriv, type KeyObject } from 'node:crypto';

export const AES_BLOCK = 16;
const ZEROS = Buffer.alloc(AES_BLOCK);

/** The number of keys of all sessions that keep their ciphers. Each takes about 2 KiB. */
const KEPT = 2_048;
/** A ring of the keys that keep their ciphers; a new key overwrites the oldest entry. */
const keepers: (AesKey | undefined)[] = [];
let oldest = 0;

interface Ciphers {
  readonly ecb: Cipher;
  readonly cbc: Cipher;
}

/**
 * AES-128 on whole blocks under one key. Creating a cipher object costs several times as much as using it for a record,
 * so a key keeps its two ciphers until `KEPT` other keys have made theirs.
 */
export class AesKey {
  readonly secret: KeyObject;
  #used = false;
  #ciphers: Ciphers | null = null;
  /** The last output block of the CBC cipher, which the cipher combines (XOR) with its next input block. */
  #feedback: Buffer = ZEROS;

  constructor(secret: KeyObject) {
    this.secret = secret;
  }

  /**
   * Called once for each record. The first record may be the key's only one (a Finished), so keeping ciphers for it
   * does not pay.
   */
  isUsedAgain(): boolean {
    const again = this.#used;
    this.#used = true;
    return again;
  }

  /** Encrypts each block independently (ECB). */
  encrypt(blocks: Buffer): Buffer {
    return this.#kept.ecb.update(blocks);
  }

  /** Returns the CBC-MAC: the last block of CBC with an IV of zeros. Overwrites the first block of `blocks`. */
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
