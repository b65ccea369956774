import { assert, nat, oneof, integer, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, readFrame } from '../../src/coap/tcp/frame.ts';
import { fromStream, toStream } from '../../src/simulator/stream-message.ts';

const bytes = uint8Array({ maxLength: 8 });

describe('a message on a stream (RFC 8323 §3.2)', () => {
  it('of any length has the same format as in the server', () => {
    const lengths = oneof(nat(20), integer({ min: 260, max: 280 }), nat(1_100));
    assert(
      property(lengths, bytes, nat(255), nat(), (length, token, code, cut) => {
        const message = { code, token, rest: new Uint8Array(length).fill(7) };
        const stream = toStream(message);
        expect(stream).toEqual(encodeFrame(message));
        expect(readFrame(stream, 0, 1_152)).toMatchObject({ frame: { code }, end: stream.length });
        const read = fromStream(Buffer.concat([stream, Buffer.of(1, 2, 3)]));
        expect(read?.size).toBe(stream.length);
        expect(read?.message.code).toBe(code);
        expect(Buffer.compare(read?.message.token ?? Buffer.alloc(9), token)).toBe(0);
        expect(Buffer.compare(read?.message.rest ?? Buffer.alloc(0), message.rest)).toBe(0);
        expect(fromStream(stream.subarray(0, cut % stream.length))).toBeNull();
      }),
    );
  });

  it.each([
    ['a token of 9 bytes', '0901'],
    ['a length of 4 bytes', 'f0ffffffff01'],
    ['more than the base size', 'e0ffff01'],
  ])('is refused for %s before it is complete', (_what, hex) => {
    expect(() => fromStream(Buffer.from(hex, 'hex'))).toThrow(/message/);
  });
});
