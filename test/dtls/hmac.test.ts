import { createHmac } from 'node:crypto';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Hmac } from '../../src/dtls/hmac.ts';

describe('HMAC', () => {
  it('matches RFC 4231 §4.3 and §4.7', () => {
    expect(new Hmac(Buffer.from('Jefe')).digest(Buffer.from('what do ya want for nothing?')).toString('hex')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
    const text = Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First');
    expect(new Hmac(Buffer.alloc(131, 0xaa)).digest(text).toString('hex')).toBe(
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    );
  });

  it('matches node:crypto for any key and message, each time', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, bytes, bytes, (key, first, second) => {
        const hmac = new Hmac(key);
        const expected = createHmac('sha256', key).update(first).update(second).digest();
        expect(hmac.digest(first, second)).toEqual(expected);
        expect(hmac.digest(Buffer.concat([first, second]))).toEqual(expected);
      }),
    );
  });
});
