import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Seal, SealError } from '../../../src/fleet/credentials/seal.ts';

let seal: Seal;
beforeEach(() => {
  seal = new Seal(randomBytes(32));
});

describe('Seal', () => {
  it('opens what it closed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (secret, context) => {
        expect(seal.open(seal.close(secret, context), context)).toEqual(Buffer.from(secret));
      }),
    );
  });

  it('never makes the same bytes twice', () => {
    const secret = randomBytes(32);
    expect(seal.close(secret, 'x')).not.toEqual(seal.close(secret, 'x'));
  });

  it('refuses a secret that was moved to another row', () => {
    expect(() => seal.open(seal.close(Buffer.from('psk'), 'credential 1'), 'credential 2')).toThrow(SealError);
  });

  it('refuses a secret with any bit changed', () => {
    const sealed = seal.close(Buffer.from('psk'), 'x');
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => seal.open(changed, 'x')).toThrow(SealError);
    }
  });

  it('refuses a secret with bytes missing at its end', () => {
    const sealed = seal.close(Buffer.from('psk'), 'x');
    for (let length = 0; length < sealed.length; length++) {
      expect(() => seal.open(sealed.subarray(0, length), 'x')).toThrow(SealError);
    }
  });

  it('recognizes a secret that was sealed with another key', () => {
    const other = new Seal(randomBytes(32));
    const sealed = other.close(Buffer.from('psk'), 'x');
    expect(seal.sealed(sealed)).toBe(false);
    expect(() => seal.open(sealed, 'x')).toThrow('another secret key');
  });

  it('makes fingerprints that only its own key makes, and that are compared only among themselves', () => {
    const other = new Seal(randomBytes(32));
    expect(seal.fingerprint('1234')).toBe(seal.fingerprint('1234'));
    expect(seal.fingerprint('1234')).not.toBe(seal.fingerprint('1235'));
    expect(seal.fingerprint('1234').slice(9)).not.toBe(other.fingerprint('1234').slice(9));
    expect(Seal.comparable(seal.fingerprint('1234'), seal.fingerprint('1235'))).toBe(true);
    for (const stranger of [other.fingerprint('1234'), null, '', 'ab'.repeat(32)]) {
      expect(Seal.comparable(seal.fingerprint('1234'), stranger)).toBe(false);
      expect(Seal.comparable(stranger, null)).toBe(false);
    }
  });

  it('takes only a key of 32 bytes', () => {
    expect(() => new Seal(randomBytes(16))).toThrow('32 bytes, not 16');
  });
});
