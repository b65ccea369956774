import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Cookies } from '../../src/dtls/cookie.ts';
import { type ClientHello, parseClientHello } from '../../src/dtls/messages.ts';
import { ManualClock } from '../manual-clock.ts';

const HOME = { address: '192.0.2.1', port: 5684, socket: 0 };

function hello(cookie: Buffer = Buffer.alloc(0), suite = 'c0a8', random = '07'): ClientHello {
  const start = Buffer.from(`fefd${random.repeat(32)}00`, 'hex');
  const end = Buffer.from(`0002${suite}0100`, 'hex');
  return parseClientHello(Buffer.concat([start, Buffer.from([cookie.length]), cookie, end]));
}

function cookiesAt(clock: ManualClock): Cookies {
  return new Cookies(clock, randomBytes);
}

describe('a cookie (RFC 6347 §4.2.1)', () => {
  it('is accepted from where it was sent', () => {
    const cookies = cookiesAt(new ManualClock());
    expect(cookies.accepts(HOME, hello(cookies.make(HOME, hello())))).toBe(true);
  });

  it.each([
    ['another address', { ...HOME, address: '192.0.2.2' }],
    ['another port', { ...HOME, port: 5685 }],
    ['another socket', { ...HOME, socket: 1 }],
  ])('is refused from %s', (_what, from) => {
    const cookies = cookiesAt(new ManualClock());
    expect(cookies.accepts(from, hello(cookies.make(HOME, hello())))).toBe(false);
  });

  it('is refused with another random and with other cipher suites', () => {
    const cookies = cookiesAt(new ManualClock());
    const cookie = cookies.make(HOME, hello());
    expect(cookies.accepts(HOME, hello(cookie, 'c0a8', '08'))).toBe(false);
    expect(cookies.accepts(HOME, hello(cookie, 'c0a9'))).toBe(false);
  });

  it.each([0, 31, 33])('is refused when it has %i bytes', (length) => {
    const cookies = cookiesAt(new ManualClock());
    const cookie = Buffer.concat([cookies.make(HOME, hello()), Buffer.alloc(1)]).subarray(0, length);
    expect(cookies.accepts(HOME, hello(cookie))).toBe(false);
  });

  it('is refused when another server made it', () => {
    const clock = new ManualClock();
    expect(cookiesAt(clock).accepts(HOME, hello(cookiesAt(clock).make(HOME, hello())))).toBe(false);
  });

  it.each([
    ['a minute after a turn of the key, when it was made just before it', 59_999, 60_000, true],
    ['longer than that', 59_999, 60_001, false],
    ['two minutes, when it was made just after a turn of the key', 0, 119_999, true],
    ['two minutes and more', 0, 120_000, false],
    ['long after', 0, 10 * 60_000, false],
  ])('is accepted for %s: at %i ms and after another %i ms %s', async (_what, madeAt, later, accepted) => {
    const clock = new ManualClock();
    const cookies = cookiesAt(clock);
    await clock.advance(madeAt);
    const cookie = cookies.make(HOME, hello());
    await clock.advance(later);
    expect(cookies.accepts(HOME, hello(cookie))).toBe(accepted);
  });

  it.each([60_000, 119_999, 120_000, 10 * 60_000])(
    'made after a silence of %i ms is accepted at once',
    async (silence) => {
      const clock = new ManualClock();
      const cookies = cookiesAt(clock);
      await clock.advance(silence);
      const cookie = cookies.make(HOME, hello());
      expect(cookies.accepts(HOME, hello(cookie))).toBe(true);
      await clock.advance(60_000);
      expect(cookies.accepts(HOME, hello(cookie))).toBe(true);
      await clock.advance(60_000);
      expect(cookies.accepts(HOME, hello(cookie))).toBe(false);
    },
  );
});
