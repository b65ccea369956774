import { timingSafeEqual } from 'node:crypto';

import type { Clock } from '../clock.ts';
import { type Address, addressKey } from './address.ts';
import { Hmac } from './hmac.ts';
import type { HelloStart } from './messages.ts';
import type { Random } from './random.ts';

const COOKIE_LENGTH = 32;
/** A cookie is valid for one to two rotation periods. */
const ROTATION_MS = 60_000;

/**
 * Stateless cookies (RFC 6347 §4.2.1). A client that returns its cookie can receive datagrams at its address. The
 * cookie covers the address and the fields that the client must repeat in its second ClientHello.
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

  make(from: Address, hello: HelloStart): Buffer {
    this.#rotate();
    return cookie(this.#current, from, hello);
  }

  accepts(from: Address, hello: HelloStart): boolean {
    if (hello.cookie.length !== COOKIE_LENGTH) return false;
    this.#rotate();
    return this.#isOf(this.#current, from, hello) || this.#isOf(this.#previous, from, hello);
  }

  #isOf(secret: Hmac, from: Address, hello: HelloStart): boolean {
    return timingSafeEqual(cookie(secret, from, hello), hello.cookie);
  }

  #newSecret(): Hmac {
    return new Hmac(this.#random(COOKIE_LENGTH));
  }

  #rotate(): void {
    const now = this.#clock.now();
    if (now < this.#rotateAt) return;
    // When no cookie was needed for a whole period, the current secret is too old as well.
    const isStale = now >= this.#rotateAt + ROTATION_MS;
    this.#previous = isStale ? this.#newSecret() : this.#current;
    this.#current = this.#newSecret();
    this.#rotateAt = isStale ? now + ROTATION_MS : this.#rotateAt + ROTATION_MS;
  }
}

function cookie(secret: Hmac, from: Address, hello: HelloStart): Buffer {
  return secret.digest(Buffer.from(`${addressKey(from)}|`), hello.beforeCookie, hello.behindCookie);
}
