import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Access } from '../fleet/index.ts';
import { networkOf, networkText } from '../network/index.ts';
import { authenticate, type Authentication } from './authentication.ts';
import type { Log } from './log.ts';

const WINDOW_MS = 60_000;
/** Most addresses, and most token prefixes, that are remembered. At the limit, the oldest is forgotten. */
const REMEMBERED = 10_000;
/** Characters of a token’s prefix: the same leaked or mistyped token, or guesses at one, from many addresses. */
const PREFIX_LENGTH = 12;
/** How long a valid token is exempt from the limits of its address and prefix. */
const PROVEN_MS = 3_600_000;
/** Log lines per minute: an attacker with many addresses must not fill the log. */
const MOST_LINES = 60;

interface Window {
  readonly since: number;
  failures: number;
}

/**
 * Limits failed authentications per minute, for each address (IPv6: /64) and each token prefix. A token that was valid
 * in the last hour is exempt, so that others behind the same proxy can't lock it out.
 */
export class FailedAuthentications {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #windows = { address: new Map<string, Window>(), prefix: new Map<string, Window>() };
  /** The hashes of valid tokens, and when they were valid. */
  readonly #proven = new Map<string, number>();
  #lines: Window = { since: 0, failures: 0 };
  #refused = 0;
  #limited = 0;

  constructor(options: { limit: number; clock: Clock; log: Log }) {
    this.#limit = options.limit;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Counts since the start: tokens that were looked up and refused, and those that the limit refused. */
  get counts(): { readonly refused: number; readonly limited: number } {
    return { refused: this.#refused, limited: this.#limited };
  }

  /** Finds the actor of the token, unless too many authentications of the address or of the prefix failed. */
  async authenticate(
    access: Pick<Access, 'authenticate'>,
    token: string | null,
    address: string,
  ): Promise<Authentication> {
    if (token === null) return authenticate(access, token);
    const network = networkOf(address);
    const prefix = hash(token.slice(0, PREFIX_LENGTH));
    const id = hash(token);
    const provenAt = this.#proven.get(id) ?? -Infinity;
    const isProven = this.#clock.now() - provenAt < PROVEN_MS;
    const waitMs = isProven ? 0 : Math.max(this.#waitMs('address', network), this.#waitMs('prefix', prefix));
    if (waitMs > 0) {
      this.#limited++;
      const retryAfter = Math.ceil(waitMs / 1000);
      return { actor: null, retryAfter, message: `Too many invalid tokens. Try again in ${retryAfter} s.` };
    }
    const result = await authenticate(access, token);
    this.#proven.delete(id);
    if (result.actor === null) {
      this.#refused++;
      if (this.#count('address', network) === 1) this.#report(network);
      this.#count('prefix', prefix);
    } else {
      forgetOldest(this.#proven);
      this.#proven.set(id, this.#clock.now());
    }
    return result;
  }

  #waitMs(kind: 'address' | 'prefix', key: string): number {
    const window = this.#windows[kind].get(key);
    if (window === undefined || window.failures < this.#limit) return 0;
    const left = window.since + WINDOW_MS - this.#clock.now();
    // More than a window is left only if the clock was set back.
    return left > WINDOW_MS ? 0 : left;
  }

  /** Returns the number of failures in the present minute, with this one. */
  #count(kind: 'address' | 'prefix', key: string): number {
    const windows = this.#windows[kind];
    const now = this.#clock.now();
    const present = windows.get(key);
    if (present && now >= present.since && now - present.since < WINDOW_MS) return ++present.failures;
    windows.delete(key);
    forgetOldest(windows);
    windows.set(key, { since: now, failures: 1 });
    return 1;
  }

  #report(network: string): void {
    const now = this.#clock.now();
    if (now < this.#lines.since || now - this.#lines.since >= WINDOW_MS) this.#lines = { since: now, failures: 0 };
    if (++this.#lines.failures > MOST_LINES) return;
    this.#log.warn({ address: networkText(network), ...this.counts }, 'an invalid token was refused');
  }
}

function forgetOldest(table: Map<string, unknown>): void {
  const oldest = table.size < REMEMBERED ? undefined : table.keys().next().value;
  if (oldest !== undefined) table.delete(oldest);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
