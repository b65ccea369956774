import { createCipheriv, createDecipheriv } from 'node:crypto';

import type { AesKey } from './aes.ts';
import { CCM_TAG, ccmOpen, ccmSeal } from './ccm.ts';

/** Above this length, a new cipher object is faster than two cipher passes and an XOR in JavaScript. */
const SHORT = 256;

/** Authenticated encryption with additional data (RFC 5116), with nonces of 12 bytes. */
export interface Aead {
  readonly tagLength: number;
  /** Fills `into` with the encrypted content and the tag. */
  seal(key: AesKey, nonce: Buffer, additional: Buffer, content: Buffer, into: Buffer): void;
  /** Returns null when the tag does not verify. */
  open(key: AesKey, nonce: Buffer, additional: Buffer, sealed: Buffer): Buffer | null;
}

/** Uses the ciphers that the key keeps. */
export const KEPT_CCM_8: Aead = { tagLength: CCM_TAG, seal: ccmSeal, open: ccmOpen };

/** Makes a new cipher object for each record. */
export const ONE_SHOT_CCM_8 = oneShot('aes-128-ccm', CCM_TAG);

/** Uses the faster one of the two implementations above; their output is the same. */
export const AES_128_CCM_8: Aead = {
  tagLength: CCM_TAG,
  seal(key, nonce, additional, content, into) {
    ccmFor(key, content.length).seal(key, nonce, additional, content, into);
  },
  open(key, nonce, additional, sealed) {
    return ccmFor(key, sealed.length - CCM_TAG).open(key, nonce, additional, sealed);
  },
};

export const AES_128_CCM = oneShot('aes-128-ccm', 16);
export const AES_128_GCM = oneShot('aes-128-gcm', 16);

function ccmFor(key: AesKey, length: number): Aead {
  return length <= SHORT && key.isUsedAgain() ? KEPT_CCM_8 : ONE_SHOT_CCM_8;
}

function oneShot(algorithm: 'aes-128-ccm' | 'aes-128-gcm', tagLength: number): Aead {
  // node:crypto types CCM and GCM by their literal names; both take the same options here.
  const name = algorithm as 'aes-128-ccm';
  const options = { authTagLength: tagLength };
  return {
    tagLength,
    seal({ secret }, nonce, additional, content, into) {
      const cipher = createCipheriv(name, secret, nonce, options);
      cipher.setAAD(additional, { plaintextLength: content.length });
      cipher.update(content).copy(into);
      cipher.final();
      cipher.getAuthTag().copy(into, content.length);
    },
    open({ secret }, nonce, additional, sealed) {
      const length = sealed.length - tagLength;
      const decipher = createDecipheriv(name, secret, nonce, options);
      decipher.setAuthTag(sealed.subarray(length));
      decipher.setAAD(additional, { plaintextLength: length });
      try {
        const content = decipher.update(sealed.subarray(0, length));
        decipher.final();
        return content;
      } catch {
        return null;
      }
    },
  };
}
