import { timingSafeEqual } from 'node:crypto';

import type { Clock } from '../clock.ts';
import { type Address, addressKey } from './address.ts';
import { Hmac } from './hmac.ts';
import type { ClientHello } from './messages.ts';
import type { Random } from './random.ts';

const COOKIE_LENGTH = 32;
/** A cookie is good for one to two of these. */
const ROTATION_MS = 60_000;

/**
 * Cookies that need no memory (RFC 6347 §4.2.1): whoever sends one back can receive at its address. It is bound to what
 * the client must repeat in its second ClientHello.
 */
export class Cookies {
  readonly #clock: Clock;
  readonly #random: Random;
  #current: Hmac;
  #previous: Hmac;
  #rotateAt: number;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#current = this.#newSecret();
    this.#previous = this.#newSecret();
    this.#rotateAt = clock.now() + ROTATION_MS;
  }

  make(from: Address, hello: ClientHello): Buffer {
    this.#rotate();
    return cookie(this.#current, from, hello);
  }

  accepts(from: Address, hello: ClientHello): boolean {
    if (hello.cookie.length !== COOKIE_LENGTH) return false;
    this.#rotate();
    return this.#isOf(this.#current, from, hello) || this.#isOf(this.#previous, from, hello);
  }

  #isOf(secret: Hmac, from: Address, hello: ClientHello): boolean {
    return timingSafeEqual(cookie(secret, from, hello), hello.cookie);
  }

  #newSecret(): Hmac {
    return new Hmac(this.#random(COOKIE_LENGTH));
  }

  #rotate(): void {
    const now = this.#clock.now();
    if (now < this.#rotateAt) return;
    // After a pause of more than a whole rotation the current secret is too old as well.
    const isStale = now >= this.#rotateAt + ROTATION_MS;
    this.#previous = isStale ? this.#newSecret() : this.#current;
    this.#current = this.#newSecret();
    this.#rotateAt = isStale ? now + ROTATION_MS : this.#rotateAt + ROTATION_MS;
  }
}

function cookie(secret: Hmac, from: Address, hello: ClientHello): Buffer {
  return secret.digest(Buffer.from(`${addressKey(from)}|`), hello.beforeCookie, hello.behindCookie);
}
