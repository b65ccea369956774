import { expect, it } from 'vitest';
import { hashOfToken, makeToken } from '../../../src/fleet/access/token.ts';

it('makes a token of `tl_` and 256 random bits in base64url', () => {
  const [one, other] = [makeToken(), makeToken()];
  expect(one).toMatch(/^tl_[\w-]{43}$/);
  expect(one).not.toBe(other);
});

it('stores the SHA-256 of a token, in hex', () => {
  // FIPS 180-2 §B.1.
  expect(hashOfToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
