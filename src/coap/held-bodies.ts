import { Crowd, networkOf } from '../network/index.ts';
import { ByteBudget } from './budget.ts';
import type { CoapLimits } from './limits.ts';
import { append, without } from './list.ts';
import type { PeerBody, PeerState } from './peer.ts';

/** The body of one block-wise transfer and its state. */
export class HeldBody<T> implements PeerBody {
  readonly key: string;
  readonly state: PeerState;
  readonly content: T;
  /** The peer's network when the peer is a stranger, else null. */
  readonly network: string | null;
  bytes = 0;
  movedAt: number;
  readonly #bodies: HeldBodies<T>;

  constructor(bodies: HeldBodies<T>, key: string, state: PeerState, content: T, now: number) {
    this.#bodies = bodies;
    this.key = key;
    this.state = state;
    this.content = content;
    this.network = state.proven ? null : networkOf(state.peer.address);
    this.movedAt = now;
  }

  drop(): void {
    this.#bodies.remove(this);
  }
}

/**
 * The bodies of block-wise transfers in one direction: limited in bytes and number over all peers, in number per peer
 * and for the strangers of a network, and in age. `CoapLimits` says which body is removed at each limit; its peer must
 * start again.
 */
export class HeldBodies<T> {
  readonly #budget: ByteBudget;
  readonly #limits: Pick<CoapLimits, 'bodies' | 'bodiesPerNetwork' | 'bodiesPerPeer'>;
  readonly #lifetimeMs: number;
  /** Ordered by the time of the last block. */
  readonly #held = new Map<string, HeldBody<T>>();
  /** The bodies of strangers, in the same order for each network. */
  readonly #strangers = new Crowd<HeldBody<T>>();
  /** How many bodies made room for others. */
  evicted = 0;

  constructor(
    bytes: number,
    limits: Pick<CoapLimits, 'bodies' | 'bodiesPerNetwork' | 'bodiesPerPeer'>,
    lifetimeMs: number,
  ) {
    this.#budget = new ByteBudget(bytes);
    this.#limits = limits;
    this.#lifetimeMs = lifetimeMs;
  }

  get bytes(): number {
    return this.#budget.used;
  }

  get(key: string): HeldBody<T> | undefined {
    return this.#held.get(key);
  }

  /** Adds a body without bytes (see `resize`) and removes the previous body with that key. */
  add(key: string, state: PeerState, content: T, now: number): HeldBody<T> {
    this.#held.get(key)?.drop();
    while (state.bodies.length >= this.#limits.bodiesPerPeer) state.bodies[0]?.drop();
    const body = new HeldBody(this, key, state, content, now);
    const { network } = body;
    if (network !== null && this.#strangers.count(network) >= this.#limits.bodiesPerNetwork) {
      this.#evict(this.#strangers.oldestOf(network));
    }
    if (this.#held.size >= this.#limits.bodies) this.#evict(this.#idleLongest());
    this.#held.set(key, body);
    if (network !== null) this.#strangers.add(network, body);
    state.bodies = append(state.bodies, body);
    return body;
  }

  /** Records that a block was sent or received. */
  touch(body: HeldBody<T>, now: number): void {
    body.movedAt = now;
    this.#held.delete(body.key);
    this.#held.set(body.key, body);
    if (body.network !== null) {
      this.#strangers.remove(body.network, body);
      this.#strangers.add(body.network, body);
    }
    body.state.bodies = append(without(body.state.bodies, body), body);
  }

  /** Reserves memory for the body and removes other bodies for it. False when it exceeds the limit alone. */
  resize(body: HeldBody<T>, bytes: number): boolean {
    this.#budget.release(body.bytes);
    body.bytes = 0;
    if (bytes > this.#budget.most) return false;
    // It moves to the end of the order, so that it does not make room for itself while there are others.
    this.touch(body, body.movedAt);
    while (!this.#budget.reserve(bytes)) this.#evict(this.#idleLongest(body));
    body.bytes = bytes;
    return true;
  }

  remove(body: HeldBody<T>): void {
    if (this.#held.get(body.key) !== body) return;
    this.#held.delete(body.key);
    if (body.network !== null) this.#strangers.remove(body.network, body);
    body.state.bodies = without(body.state.bodies, body);
    this.#budget.release(body.bytes);
    body.bytes = 0;
  }

  /** The body to remove for another: of the strangers' network with the most, or without one of any peer. */
  #idleLongest(except: HeldBody<T> | null = null): HeldBody<T> | undefined {
    const stranger = this.#strangers.oldestOfLargest();
    if (stranger !== except && stranger) return stranger;
    for (const body of this.#held.values()) if (body !== except) return body;
    return undefined;
  }

  #evict(body: HeldBody<T> | undefined): void {
    if (!body) return;
    this.evicted++;
    body.drop();
  }

  /** Removes bodies without a block for EXCHANGE_LIFETIME (RFC 7959 §2.4, §2.5 allow it then). */
  sweep(now: number): void {
    for (const body of this.#held.values()) {
      if (body.movedAt + this.#lifetimeMs > now) return;
      body.drop();
    }
  }
}
