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
});
