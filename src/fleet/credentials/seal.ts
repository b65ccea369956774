import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_BYTES = 4;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

/** A sealed secret that can't be opened: another key, other surroundings, or changed bytes. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/**
 * Secrets at rest: AES-256-GCM under the installation's secret key. `context` (which row it is) is authenticated, so that
 * a sealed secret can't be moved to another row. Layout: version ‖ key id (4) ‖ nonce (12) ‖ ciphertext ‖ tag (16).
 */
export class Seal {
  readonly #key: Buffer;
  readonly #keyId: Buffer;

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    if (key.length !== 32) throw new SealError(`a secret key has 32 bytes, not ${key.length}`);
    this.#key = Buffer.from(key);
    this.#keyId = createHash('sha256').update('treeline key id').update(this.#key).digest().subarray(0, KEY_ID_BYTES);
  }

  close(secret: Uint8Array, context: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context));
    const header = Buffer.concat([Buffer.of(VERSION), this.#keyId, nonce]);
    return Buffer.concat([header, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws SealError. */
  open(sealed: Uint8Array, context: string): Buffer {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    if (bytes.length < HEADER_BYTES + TAG_BYTES || bytes[0] !== VERSION) throw new SealError('no sealed secret');
    if (!this.sealed(bytes)) throw new SealError('sealed under another secret key');
    const nonce = bytes.subarray(1 + KEY_ID_BYTES, HEADER_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      throw new SealError('the sealed secret was changed, or belongs elsewhere');
    }
  }

  /** True when it was sealed under this key. */
  sealed(bytes: Uint8Array): boolean {
    return this.#keyId.equals(Buffer.from(bytes).subarray(1, 1 + KEY_ID_BYTES));
  }
}
