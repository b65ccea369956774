import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_BYTES = 4;
/** The key id in hexadecimal digits begins a fingerprint. */
const FINGERPRINT = /^[0-9a-f]{8}\.[0-9a-f]{64}$/;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

/** A secret can't be decrypted: it was encrypted with another key or for another row, or its bytes were changed. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/**
 * Encrypts the secrets in the database with AES-256-GCM and the installation's secret key. `context` names the row of a
 * secret and is authenticated: a sealed secret that is moved to another row can't be opened.
 * Layout: version (1) ‖ key id (4) ‖ nonce (12) ‖ ciphertext ‖ tag (16).
 */
export class Seal {
  readonly #key: Buffer;
  readonly #keyId: Buffer;
  readonly #fingerprintKey: Buffer;

  /** @param key 32 bytes; another length throws SealError */
  constructor(key: Uint8Array) {
    if (key.length !== 32) throw new SealError(`a secret key must have 32 bytes, not ${key.length}`);
    this.#key = Buffer.from(key);
    this.#keyId = createHash('sha256').update('treeline key id').update(this.#key).digest().subarray(0, KEY_ID_BYTES);
    this.#fingerprintKey = Buffer.from(hkdfSync('sha256', this.#key, '', 'treeline fingerprint', 32));
  }

  /** Says whether both fingerprints were made with one secret key, so that equal ones are of one text. */
  static comparable(one: string | null, other: string | null): boolean {
    const key = keyOfFingerprint(one);
    return key !== null && key === keyOfFingerprint(other);
  }

  /**
   * Identifies a text that may hold secrets, without revealing it: the id of the secret key, a point, and the text's
   * HMAC-SHA-256 with a key that is derived from the secret key (RFC 2104, RFC 5869).
   */
  fingerprint(text: string): string {
    const mac = createHmac('sha256', this.#fingerprintKey).update(text).digest('hex');
    return `${this.#keyId.toString('hex')}.${mac}`;
  }

  /** Encrypts a secret for the row that `context` names. */
  close(secret: Uint8Array, context: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context));
    const header = Buffer.concat([Buffer.of(VERSION), this.#keyId, nonce]);
    return Buffer.concat([header, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
  }

  /** Decrypts a secret. Throws SealError if the key, the context or the bytes are not those of the encryption. */
  open(sealed: Uint8Array, context: string): Buffer {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    if (bytes.length < HEADER_BYTES + TAG_BYTES || bytes[0] !== VERSION)
      throw new SealError('not a sealed secret: the value is too short or has another version');
    if (!this.sealed(bytes)) throw new SealError('the secret was sealed with another secret key');
    const nonce = bytes.subarray(1 + KEY_ID_BYTES, HEADER_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      throw new SealError('the sealed secret was changed, or belongs to another row');
    }
  }

  /** The first 4 bytes of a hash of the key: bytes 1 to 4 of each secret that it sealed. */
  get keyId(): Buffer {
    return Buffer.from(this.#keyId);
  }

  /** True if the secret was sealed with this key, by its key id. */
  sealed(bytes: Uint8Array): boolean {
    return this.#keyId.equals(Buffer.from(bytes).subarray(1, 1 + KEY_ID_BYTES));
  }
}

/** The id of the secret key that made the fingerprint; null for another text. */
function keyOfFingerprint(text: string | null): string | null {
  return text !== null && FINGERPRINT.test(text) ? text.slice(0, 2 * KEY_ID_BYTES) : null;
}
