import { ByteBudget } from './budget.ts';
import { append, without } from './list.ts';
import type { PeerBody, PeerState } from './peer.ts';

/** The body of one block-wise transfer and its state. */
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
 * The bodies of block-wise transfers in one direction, over all peers: limited in bytes, in number per peer and in age.
 * At a limit, the body that was idle for longest is removed, and its peer must start again.
 */
export class HeldBodies<T> {
  readonly #budget: ByteBudget;
  readonly #perPeer: number;
  readonly #lifetimeMs: number;
  /** Ordered by the time of the last block. */
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

  /** Adds a body without bytes (see `resize`) and removes the previous body with that key. */
  add(key: string, state: PeerState, content: T, now: number): HeldBody<T> {
    this.#held.get(key)?.drop();
    while (state.bodies.length >= this.#perPeer) state.bodies[0]?.drop();
    const body = new HeldBody(this, key, state, content, now);
    this.#held.set(key, body);
    state.bodies = append(state.bodies, body);
    return body;
  }

  /** Records that a block was sent or received. */
  touch(body: HeldBody<T>, now: number): void {
    body.movedAt = now;
    this.#held.delete(body.key);
    this.#held.set(body.key, body);
    body.state.bodies = append(without(body.state.bodies, body), body);
  }

  /** Reserves memory for the body and removes other bodies for it. False when it exceeds the limit alone. */
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

  /** Removes bodies without a block for EXCHANGE_LIFETIME (RFC 7959 §2.4, §2.5 allow it then). */
  sweep(now: number): void {
    for (const body of this.#held.values()) {
      if (body.movedAt + this.#lifetimeMs > now) return;
      body.drop();
    }
  }
}
