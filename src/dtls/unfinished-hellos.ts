import type { Clock } from '../clock.ts';
import { Crowd, networkOf } from '../network/index.ts';
import { type Address, addressKey } from './address.ts';
import type { HandshakeFragment } from './messages.ts';
import { Reassembly } from './reassembly.ts';
import { lasting } from './wire.ts';

/** The longest ClientHello that may arrive in fragments, in bytes. */
const LONGEST = 4_096;
/** ClientHellos in total, and from one IPv4 address or IPv6 /64. The oldest one makes room. */
const MOST = 256;
const MOST_PER_NETWORK = 32;
const LIFETIME_MS = 60_000;

interface Unfinished {
  readonly key: string;
  readonly network: string;
  /** The client random, which is the same when the client repeats the message. */
  readonly random: Buffer;
  readonly message: Reassembly;
  readonly expiresAt: number;
}

/**
 * ClientHellos that arrive in fragments (RFC 6347 §4.2.3), from clients whose first fragment has a valid cookie. Without
 * a verified address, they would use memory for anybody (RFC 6347 §4.2.1).
 */
export class UnfinishedHellos {
  readonly #clock: Clock;
  readonly #byAddress = new Map<string, Unfinished>();
  readonly #crowd = new Crowd<Unfinished>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a message with its first fragment, or goes on with it. False when it is too long. */
  begin(from: Address, fragment: HandshakeFragment, random: Buffer): boolean {
    if (fragment.length > LONGEST) return false;
    const key = addressKey(from);
    const network = networkOf(from.address);
    const there = this.#byAddress.get(key);
    if (there?.random.equals(random) && there.expiresAt > this.#clock.now()) return true;
    this.#remove(there);
    if (this.#crowd.count(network) >= MOST_PER_NETWORK) this.#remove(this.#crowd.oldestOf(network));
    if (this.#byAddress.size >= MOST) this.#remove(this.#crowd.oldestOfLargest());
    const message = new Reassembly(fragment.sequence);
    message.add(fragment);
    const unfinished = { key, network, random: lasting(random), message, expiresAt: this.#clock.now() + LIFETIME_MS };
    this.#byAddress.set(key, unfinished);
    this.#crowd.add(network, unfinished);
    return true;
  }

  /**
   * Adds a further fragment. Returns the whole message with its header when it is complete, 'incomplete' when fragments
   * are missing, and 'unknown' when the message was not begun.
   */
  add(from: Address, fragment: HandshakeFragment): Buffer | 'incomplete' | 'unknown' {
    const unfinished = this.#byAddress.get(addressKey(from));
    if (!unfinished || unfinished.expiresAt <= this.#clock.now()) return 'unknown';
    if (fragment.length > LONGEST) return 'unknown';
    unfinished.message.add(fragment);
    const whole = unfinished.message.take();
    if (whole === null) return 'incomplete';
    this.#remove(unfinished);
    return whole.encoded;
  }

  #remove(unfinished: Unfinished | undefined): void {
    if (!unfinished) return;
    this.#byAddress.delete(unfinished.key);
    this.#crowd.remove(unfinished.network, unfinished);
  }
}
