import { expect, describe, it } from 'vitest';
import { NetworkPath } from '../../src/dtls/network-path.ts';

const HOME = { address: '192.0.2.1', port: 5684, socket: 0 };
const AWAY = { address: '203.0.113.9', port: 40_000, socket: 0 };

function movedPath(): NetworkPath {
  const path = new NetworkPath(HOME);
  path.moveTo(AWAY);
  return path;
}

describe('the address that the handshake proved', () => {
  it('gets as much as there is to send', () => {
    const path = new NetworkPath(HOME);
    expect([path.address, path.isProven, path.maySend(100_000), path.maySend(100_000)]).toEqual([
      HOME,
      true,
      true,
      true,
    ]);
  });

  it('stays proven when more comes from it', () => {
    const path = new NetworkPath(HOME);
    path.received(10);
    expect([path.isProven, path.maySend(31)]).toEqual([true, true]);
  });
});

describe('an address that a session moved to (RFC 9146 §6)', () => {
  it('gets nothing before anything came from it', () => {
    const path = movedPath();
    expect([path.address, path.isProven, path.maySend(1)]).toEqual([AWAY, false, false]);
  });

  it('gets three times the bytes that came from it, and not one more', () => {
    const path = movedPath();
    path.received(10);
    expect(path.maySend(31)).toBe(false);
    expect(path.maySend(30)).toBe(true);
    expect(path.maySend(1)).toBe(false);
  });

  it('has its allowance diminished by each datagram that goes there', () => {
    const path = movedPath();
    path.received(10);
    expect([path.maySend(20), path.maySend(11), path.maySend(10), path.maySend(1)]).toEqual([true, false, true, false]);
  });

  it('has its allowance raised by each datagram that comes from it', () => {
    const path = movedPath();
    path.received(10);
    path.received(5);
    expect([path.maySend(46), path.maySend(45)]).toEqual([false, true]);
  });

  it('is not proven by a record that answers nothing', () => {
    const path = movedPath();
    path.received(10);
    path.received(10);
    expect(path.isProven).toBe(false);
  });

  it('is not proven by a record that follows a refused datagram', () => {
    const path = movedPath();
    path.received(10);
    path.maySend(31);
    path.received(10);
    expect(path.isProven).toBe(false);
  });

  it('is proven by a record that follows what was sent there', () => {
    const path = movedPath();
    path.received(10);
    path.maySend(10);
    path.received(10);
    expect([path.isProven, path.maySend(100_000)]).toEqual([true, true]);
  });

  it('proves nothing for the next address', () => {
    const path = movedPath();
    path.received(10);
    path.maySend(10);
    path.moveTo(HOME);
    path.received(10);
    expect([path.address, path.isProven, path.maySend(31), path.maySend(30)]).toEqual([HOME, false, false, true]);
  });
});
