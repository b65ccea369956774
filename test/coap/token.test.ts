import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PeerState } from '../../src/coap/peer.ts';
import { TokenHolder, TokenTable } from '../../src/coap/token.ts';
import { udpPeer } from '../../src/coap/udp.ts';

class Holder extends TokenHolder {
  state = new PeerState(udpPeer('192.0.2.1', 5683), 0, 0);
  onPiggybacked(): void {}
  onSeparate(): void {}
}

const key = (token: Uint8Array): string => Buffer.from(token).toString('hex');

/** A table with one holder in it. */
function added(table: TokenTable): Holder {
  const holder = new Holder();
  expect(table.add(holder)).toBe(true);
  return holder;
}

describe('the token table', () => {
  it('finds the holder of a token, and none for another token', () => {
    const table = new TokenTable(10);
    const [a, b] = [added(table), added(table)];
    expect(a.token).toHaveLength(8);
    expect(table.find(a.token)).toBe(a);
    expect(table.find(b.token)).toBe(b);
    const guess = a.token;
    guess[7] = (guess[7] ?? 0) ^ 1;
    expect(table.find(guess)).toBeNull();
    expect(table.find(a.token.subarray(0, 7))).toBeNull();
    expect(table.find(new Uint8Array(0))).toBeNull();
  });

  it('reuses a slot with another nonce, so that an old token finds no holder', () => {
    const table = new TokenTable(10);
    const first = added(table);
    const { token } = first;
    table.remove(first);
    const second = added(table);
    expect(second.slot).toBe(first.slot);
    expect(table.find(token)).toBeNull();
    expect(table.size).toBe(1);
  });

  it('refuses a holder above its limit', () => {
    const table = new TokenTable(2);
    added(table);
    const second = added(table);
    expect(table.add(new Holder())).toBe(false);
    table.remove(second);
    expect(table.add(new Holder())).toBe(true);
  });

  it('adds a token of an earlier run, even when its slot is in use or beyond the end', () => {
    const earlier = new TokenTable(1_000);
    const old = Array.from({ length: 500 }, () => added(earlier));
    const table = new TokenTable(100);
    const [fresh] = [added(table)];
    const resumed = [old[0], old[250], old[499]].map((holder) => {
      const successor = new Holder();
      expect(table.addAt(successor, holder?.token ?? new Uint8Array(0))).toBe(true);
      return successor;
    });
    for (const holder of [fresh, ...resumed]) expect(table.find(holder.token)).toBe(holder);
    table.remove(fresh);
    for (const holder of resumed) expect(table.find(holder.token)).toBe(holder);
    expect(table.find(fresh.token)).toBeNull();
    expect(table.size).toBe(3);
  });

  it('refuses a token that is in use or does not have 8 bytes', () => {
    const table = new TokenTable(10);
    const holder = added(table);
    expect(table.addAt(new Holder(), holder.token)).toBe(false);
    expect(table.addAt(new Holder(), Uint8Array.of(1, 2, 3, 4))).toBe(false);
  });

  it('lets a successor take over a token', () => {
    const table = new TokenTable(10);
    const first = added(table);
    const second = new Holder();
    table.replace(first, second);
    expect(table.find(second.token)).toBe(second);
    expect(second.token).toEqual(first.token);
    table.remove(first);
    expect(table.find(second.token)).toBe(second);
    expect(table.size).toBe(1);
  });

  it('does nothing when a holder is removed twice', () => {
    const table = new TokenTable(10);
    const [a, b] = [added(table), added(table)];
    table.remove(a);
    table.remove(a);
    expect(table.size).toBe(1);
    expect(table.find(b.token)).toBe(b);
  });

  it('behaves like a map from token to holder, in every order of events', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ kind: fc.constantFrom('add', 'resume', 'replace', 'remove'), pick: fc.nat() }), {
          maxLength: 80,
        }),
        (events) => {
          const most = 8;
          const table = new TokenTable(most);
          const live = new Map<string, Holder>();
          const gone: Uint8Array[] = [];
          for (const { kind, pick } of events) {
            const chosen = [...live.values()][pick % Math.max(1, live.size)];
            const next = new Holder();
            if (kind === 'add') {
              expect(table.add(next)).toBe(live.size < most);
              if (live.size < most) live.set(key(next.token), next);
            } else if (kind === 'resume') {
              const token = new Uint8Array(8);
              new DataView(token.buffer).setUint32(0, pick % 20);
              new DataView(token.buffer).setUint32(4, pick);
              const free = live.size < most && !live.has(key(token));
              expect(table.addAt(next, token)).toBe(free);
              if (free) live.set(key(token), next);
            } else if (chosen && kind === 'replace') {
              table.replace(chosen, next);
              live.set(key(next.token), next);
            } else if (chosen) {
              table.remove(chosen);
              live.delete(key(chosen.token));
              gone.push(chosen.token);
            }
            expect(table.size).toBe(live.size);
            for (const [token, holder] of live) expect(table.find(Buffer.from(token, 'hex'))).toBe(holder);
            for (const token of gone) if (!live.has(key(token))) expect(table.find(token)).toBeNull();
          }
        },
      ),
    );
  });
});
