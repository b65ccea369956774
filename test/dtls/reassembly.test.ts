import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { HandshakeFragment } from '../../src/dtls/messages.ts';
import { Reassembly } from '../../src/dtls/reassembly.ts';

function fragment(sequence: number, body: Buffer, offset = 0, end = body.length): HandshakeFragment {
  return { type: 11, length: body.length, sequence, offset, body: body.subarray(offset, end) };
}

describe('reassembly', () => {
  it('reassembles messages from overlapping fragments in any order', () => {
    const body = fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes));
    const cuts = fc.array(fc.nat(500), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(body, cuts), { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        (messages, order) => {
          const fragments = messages.flatMap(([bytes, places], i) => {
            const ends = [...places.map((place) => Math.min(place, bytes.length)), bytes.length].sort((a, b) => a - b);
            // Each fragment starts a little before the end of the previous one.
            return ends.map((end, n) => fragment(3 + i, bytes, Math.max(0, (ends[n - 1] ?? 0) - (n % 3)), end));
          });
          const shuffled = fragments
            .map((piece) => ({ piece, at: order.next().value ?? 0 }))
            .sort((a, b) => a.at - b.at)
            .map(({ piece }) => piece);
          const reassembly = new Reassembly(3);
          const taken: Buffer[] = [];
          for (const piece of [...shuffled, ...shuffled]) {
            reassembly.add(piece);
            for (let m = reassembly.take(); m !== null; m = reassembly.take()) taken.push(m.body);
          }
          expect(taken).toEqual(messages.map(([bytes]) => bytes));
        },
      ),
    );
  });

  it('refuses a message longer than 16 KiB', () => {
    expect(() =>
      new Reassembly(0).add({ type: 11, length: 16_385, sequence: 0, offset: 0, body: Buffer.alloc(10) }),
    ).toThrow(expect.objectContaining({ code: 'illegal_parameter' }));
  });

  it('drops fragments that are eight or more messages ahead', () => {
    const reassembly = new Reassembly(0);
    reassembly.add(fragment(8, Buffer.from('late')));
    for (let sequence = 0; sequence < 8; sequence++) reassembly.add(fragment(sequence, Buffer.from([sequence])));
    for (let sequence = 0; sequence < 8; sequence++) expect(reassembly.take()?.sequence).toBe(sequence);
    expect(reassembly.take()).toBeNull();
  });

  it('keeps at most 32 KiB of unfinished messages', () => {
    const reassembly = new Reassembly(0);
    const long = Buffer.alloc(16_384);
    for (const sequence of [1, 2, 3]) reassembly.add(fragment(sequence, long, 0, 16_383));
    for (const sequence of [1, 2, 3]) reassembly.add(fragment(sequence, long, 16_383, 16_384));
    reassembly.add(fragment(0, Buffer.alloc(0)));
    expect(
      [reassembly.take(), reassembly.take(), reassembly.take(), reassembly.take()].map((m) => m?.sequence),
    ).toEqual([0, 1, 2, undefined]);
  });

  it('drops fragments that are inconsistent with the first one', () => {
    const reassembly = new Reassembly(0);
    const body = Buffer.from('certificate');
    reassembly.add(fragment(0, body, 0, 4));
    reassembly.add({ ...fragment(0, body, 4), type: 16 });
    reassembly.add({ ...fragment(0, body, 4), length: 40 });
    expect(reassembly.take()).toBeNull();
    reassembly.add(fragment(0, body, 4));
    expect(reassembly.take()?.body.toString()).toBe('certificate');
  });

  it('takes a message of 16 KiB', () => {
    const reassembly = new Reassembly(0);
    reassembly.add(fragment(0, Buffer.alloc(16_384, 7)));
    expect(reassembly.take()?.body).toEqual(Buffer.alloc(16_384, 7));
  });

  it('takes a message without a body', () => {
    const reassembly = new Reassembly(0);
    reassembly.add(fragment(0, Buffer.alloc(0)));
    expect(reassembly.take()).toMatchObject({ type: 11, sequence: 0, body: { length: 0 } });
  });

  it('gives a message with its header, in one piece, for the transcript (RFC 6347 §4.2.6)', () => {
    const reassembly = new Reassembly(5);
    const body = Buffer.from('aabbcc', 'hex');
    reassembly.add(fragment(5, body, 2));
    reassembly.add(fragment(5, body, 0, 2));
    expect(reassembly.nextSequence).toBe(5);
    expect(reassembly.take()?.encoded.toString('hex')).toBe('0b0000030005000000000003aabbcc');
    expect(reassembly.nextSequence).toBe(6);
  });

  it('gives no message that lacks its beginning, its end or its middle', () => {
    const body = Buffer.from('certificate');
    const incomplete = [
      [[1, 11]],
      [[0, 10]],
      [
        [0, 5],
        [6, 11],
      ],
      [
        [6, 11],
        [0, 5],
      ],
    ];
    for (const pieces of incomplete) {
      const reassembly = new Reassembly(0);
      for (const [start, end] of pieces) reassembly.add(fragment(0, body, start, end));
      expect(reassembly.take()).toBeNull();
    }
  });

  it('drops a message that was taken before', () => {
    const reassembly = new Reassembly(0);
    for (const sequence of [0, 1]) reassembly.add(fragment(sequence, Buffer.from([sequence])));
    expect([reassembly.take()?.sequence, reassembly.take()?.sequence]).toEqual([0, 1]);
    // Were it kept, it would take room of the 32 KiB.
    for (let n = 0; n < 3; n++) reassembly.add(fragment(n % 2, Buffer.alloc(16_384)));
    for (const sequence of [2, 3]) reassembly.add(fragment(sequence, Buffer.alloc(16_384)));
    expect([reassembly.take()?.sequence, reassembly.take()?.sequence]).toEqual([2, 3]);
  });

  it('has room for 32 KiB again when its messages were taken', () => {
    const reassembly = new Reassembly(0);
    for (let sequence = 0; sequence < 6; sequence++) {
      reassembly.add(fragment(sequence, Buffer.alloc(16_384)));
      expect(reassembly.take()?.sequence).toBe(sequence);
    }
  });

  it('keeps 64 pieces of a message, and drops the next', () => {
    const reassembly = new Reassembly(0);
    const body = Buffer.from(Array.from({ length: 131 }, (_, n) => n));
    const single = (at: number): void => reassembly.add(fragment(0, body, at, at + 1));
    for (let at = 0; at < 130; at += 2) single(at);
    for (let at = 1; at < 130; at += 2) single(at);
    single(130);
    expect(reassembly.take()).toBeNull();
    single(128);
    expect(reassembly.take()?.body).toEqual(body);
  });
});
