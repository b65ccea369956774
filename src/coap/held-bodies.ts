import { ByteBudget } from './budget.ts';
import { append, without } from './list.ts';
import type { PeerBody, PeerState } from './peer.ts';

/** One body of a peer, and what must be known to go on with it. */
export class HeldBody<T> implements PeerBody {
  readonly key: string;
  readonly state: PeerState;
  readonly content: T;
  bytes = 0;
  movedAt: number;
  readonly #bodies: HeldBodies<T>;

  constructor(bodies: HeldBodies<T>, key: string, state: PeerState, content: T, now: number) {
    this.#bodies = bodies;
    this.key = key;
    this.state = state;
    this.content = content;
    this.movedAt = now;
  }

  drop(): void {
    this.#bodies.remove(this);
  }
}

/**
 * Bodies that are sent or received block by block over all peers: bounded in bytes, in number per peer and in age. When
 * a bound is reached, the body that waits longest makes room; its peer starts again.
 */
export class HeldBodies<T> {
  readonly #budget: ByteBudget;
  readonly #perPeer: number;
  readonly #lifetimeMs: number;
  /** In the order in which they last moved. */
  readonly #held = new Map<string, HeldBody<T>>();

  constructor(bytes: number, perPeer: number, lifetimeMs: number) {
    this.#budget = new ByteBudget(bytes);
    this.#perPeer = perPeer;
    this.#lifetimeMs = lifetimeMs;
  }

  get bytes(): number {
    return this.#budget.used;
  }

  get(key: string): HeldBody<T> | undefined {
    return this.#held.get(key);
  }

  /** Replaces the one with that key. It holds no bytes yet: `resize` says how many. */
  add(key: string, state: PeerState, content: T, now: number): HeldBody<T> {
    this.#held.get(key)?.drop();
    while (state.bodies.length >= this.#perPeer) state.bodies[0]?.drop();
    const body = new HeldBody(this, key, state, content, now);
    this.#held.set(key, body);
    state.bodies = append(state.bodies, body);
    return body;
  }

  /** A block of it moved. */
  touch(body: HeldBody<T>, now: number): void {
    body.movedAt = now;
    this.#held.delete(body.key);
    this.#held.set(body.key, body);
    body.state.bodies = append(without(body.state.bodies, body), body);
  }

  /** False when it doesn't fit even alone. */
  resize(body: HeldBody<T>, bytes: number): boolean {
    this.#budget.release(body.bytes);
    body.bytes = 0;
    if (bytes > this.#budget.most) return false;
    for (const other of this.#held.values()) {
      if (this.#budget.reserve(bytes)) {
        body.bytes = bytes;
        return true;
      }
      if (other !== body) other.drop();
    }
    if (!this.#budget.reserve(bytes)) return false;
    body.bytes = bytes;
    return true;
  }

  remove(body: HeldBody<T>): void {
    if (this.#held.get(body.key) !== body) return;
    this.#held.delete(body.key);
    body.state.bodies = without(body.state.bodies, body);
    this.#budget.release(body.bytes);
    body.bytes = 0;
  }

  /** Drops what did not move for EXCHANGE_LIFETIME (RFC 7959 §2.4, §2.5: state may be let go of then). */
  sweep(now: number): void {
    for (const body of this.#held.values()) {
      if (body.movedAt + this.#lifetimeMs > now) return;
      body.drop();
    }
  }
}
