import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AesKey } from '../../src/dtls/aes.ts';
import { CCM_TAG, ccmOpen, ccmSeal } from '../../src/dtls/ccm.ts';

interface Input {
  readonly secret: Buffer;
  readonly nonce: Buffer;
  readonly additional: Buffer;
  readonly content: Buffer;
}

function bytes(minLength: number, maxLength = minLength): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
}

const inputs: fc.Arbitrary<Input> = fc.record({
  secret: bytes(16),
  nonce: bytes(7, 13),
  additional: bytes(1, 300),
  content: bytes(0, 600),
});

function keyOf(secret: Buffer): AesKey {
  return new AesKey(createSecretKey(secret));
}

function seal(key: AesKey, { nonce, additional, content }: Input): Buffer {
  const sealed = Buffer.alloc(content.length + CCM_TAG);
  ccmSeal(key, nonce, additional, content, sealed);
  return sealed;
}

function sealedByOpenssl({ secret, nonce, additional, content }: Input): Buffer {
  const cipher = createCipheriv('aes-128-ccm', secret, nonce, { authTagLength: CCM_TAG });
  cipher.setAAD(additional, { plaintextLength: content.length });
  const encrypted = cipher.update(content);
  cipher.final();
  return Buffer.concat([encrypted, cipher.getAuthTag()]);
}

/** RFC 3610 §8, packet vector 1. */
const VECTOR: Input = {
  secret: Buffer.from('c0c1c2c3c4c5c6c7c8c9cacbcccdcecf', 'hex'),
  nonce: Buffer.from('00000003020100a0a1a2a3a4a5', 'hex'),
  additional: Buffer.from('0001020304050607', 'hex'),
  content: Buffer.from('08090a0b0c0d0e0f101112131415161718191a1b1c1d1e', 'hex'),
};
const VECTOR_SEALED = '588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0';

describe('CCM with a tag of 8 bytes', () => {
  it('seals packet vector 1 of RFC 3610 §8, and opens it', () => {
    const key = keyOf(VECTOR.secret);
    expect(seal(key, VECTOR).toString('hex')).toBe(VECTOR_SEALED);
    expect(ccmOpen(key, VECTOR.nonce, VECTOR.additional, Buffer.from(VECTOR_SEALED, 'hex'))).toEqual(VECTOR.content);
  });

  it("seals to the same bytes as OpenSSL's CCM", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        expect(seal(keyOf(input.secret), input)).toEqual(sealedByOpenssl(input));
      }),
    );
  });

  it('gives correct results for many records under one key, sealed and opened in any order', () => {
    fc.assert(
      fc.property(bytes(16), fc.array(fc.tuple(inputs, fc.boolean()), { maxLength: 20 }), (secret, records) => {
        const key = keyOf(secret);
        for (const [record, opened] of records) {
          const input = { ...record, secret };
          const sealed = sealedByOpenssl(input);
          if (opened) expect(ccmOpen(key, input.nonce, input.additional, sealed)).toEqual(input.content);
          else expect(seal(key, input)).toEqual(sealed);
        }
      }),
    );
  });

  it('rejects a changed byte in the content, the tag, the additional data or the nonce, and opens the next record', () => {
    fc.assert(
      fc.property(inputs, fc.nat(), fc.integer({ min: 1, max: 255 }), (input, at, flip) => {
        const key = keyOf(input.secret);
        const sealed = sealedByOpenssl(input);
        const parts = [input.nonce, input.additional, sealed];
        const all = Buffer.concat(parts);
        const place = at % all.length;
        all[place] = (all[place] ?? 0) ^ flip;
        const nonce = all.subarray(0, input.nonce.length);
        const additional = all.subarray(nonce.length, nonce.length + input.additional.length);
        expect(ccmOpen(key, nonce, additional, all.subarray(nonce.length + additional.length))).toBeNull();
        expect(ccmOpen(key, input.nonce, input.additional, sealed)).toEqual(input.content);
      }),
    );
  });

  it('rejects input that is shorter than a tag', () => {
    expect(ccmOpen(keyOf(VECTOR.secret), VECTOR.nonce, VECTOR.additional, Buffer.alloc(CCM_TAG - 1))).toBeNull();
  });

  it('works with a key that lost its ciphers to thousands of other keys', () => {
    const key = keyOf(VECTOR.secret);
    expect(seal(key, VECTOR).toString('hex')).toBe(VECTOR_SEALED);
    for (let other = 0; other < 3_000; other++) seal(keyOf(randomBytes(16)), VECTOR);
    expect(seal(key, VECTOR).toString('hex')).toBe(VECTOR_SEALED);
  });
});
