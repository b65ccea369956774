import { Crowd, networkOf } from '../network/index.ts';
import type { CoapLimits } from './limits.ts';
import { append } from './list.ts';
import { PeerState } from './peer.ts';
import type { Peer } from './transport.ts';

/** How many busy peers an eviction skips before it gives up, so that a full table is not scanned. */
const EVICTION_TRIES = 16;
/** The largest number of peers that one sweep checks: a few milliseconds of work. */
const MOST_SWEPT = 50_000;

/**
 * The known peers, up to a limit, ordered by their last activity. Idle peers are removed from the old end, which needs
 * neither a timer per peer nor a scan of the others.
 */
export class PeerTable {
  readonly #states = new Map<string, PeerState>();
  readonly #limits: Pick<CoapLimits, 'peers' | 'strangersPerNetwork'>;
  readonly #strangers = new Crowd<PeerState>();
  readonly #idleMs: number;
  readonly #firstMessageId: () => number;
  #oldest: PeerState | null = null;
  #newest: PeerState | null = null;
  /** How many peers made room for others. */
  evicted = 0;

  constructor(limits: Pick<CoapLimits, 'peers' | 'strangersPerNetwork'>, idleMs: number, firstMessageId: () => number) {
    this.#limits = limits;
    this.#idleMs = idleMs;
    this.#firstMessageId = firstMessageId;
  }

  get size(): number {
    return this.#states.size;
  }

  [Symbol.iterator](): IterableIterator<PeerState> {
    return this.#states.values();
  }

  get(key: string): PeerState | undefined {
    return this.#states.get(key);
  }

  /** Finds or adds a peer. Null when a limit is reached and no peer can make room, see `CoapLimits.peers`. */
  obtain(peer: Peer, now: number): PeerState | null {
    const known = this.#states.get(peer.key);
    if (known) {
      // The peer may have a new address or socket under the same key.
      known.peer = peer;
      this.touch(known, now);
      return known;
    }
    if (!this.#makeRoom(peer, now)) return null;
    const state = new PeerState(peer, this.#firstMessageId(), now);
    this.#states.set(peer.key, state);
    this.#append(state);
    if (!state.proven) this.#strangers.add(networkOf(peer.address), state);
    return state;
  }

  /** The peer has answered a request, so it receives at its address. */
  prove(state: PeerState): void {
    if (state.proven) return;
    state.proven = true;
    this.#strangers.remove(networkOf(state.peer.address), state);
  }

  /** Removes the oldest stranger of the network with the most, but not `except`. False when there is none. */
  dropStranger(except: PeerState | null = null): boolean {
    return this.#dropStranger(() => this.#strangers.oldestOfLargest(), except);
  }

  touch(state: PeerState, now: number): void {
    state.touchedAt = now;
    if (this.#newest === state) return;
    this.#unlink(state);
    this.#append(state);
  }

  /**
   * Removes peers that were idle for EXCHANGE_LIFETIME: no duplicate of their messages can arrive any more (RFC 7252
   * §4.4). True when it stopped before it had checked all of them.
   */
  sweep(now: number): boolean {
    let state = this.#oldest;
    for (let swept = 0; state && state.touchedAt + this.#idleMs <= now; swept++) {
      if (swept === MOST_SWEPT) return true;
      const remembered = state.recent?.prune(now) ?? false;
      if (!remembered) state.recent = null;
      if (state.held || remembered) this.touch(state, now);
      else this.#forget(state);
      state = this.#oldest;
    }
    return false;
  }

  /** Moves the requests, observations and transmissions of `from` to `peer`. Null when there is no room for `peer`. */
  move(from: PeerState, peer: Peer, now: number): PeerState | null {
    const to = this.obtain(peer, now);
    if (!to || to === from) return to;
    for (const activity of from.requests.splice(0)) {
      activity.state = to;
      to.requests = append(to.requests, activity);
    }
    for (const activity of from.observations.splice(0)) {
      activity.state = to;
      to.observations = append(to.observations, activity);
    }
    for (const transmission of from.transmissions.splice(0)) {
      transmission.state = to;
      to.transmissions = append(to.transmissions, transmission);
    }
    for (const waiter of from.waiting.splice(0)) to.waiting = append(to.waiting, waiter);
    to.outstanding += from.outstanding;
    from.outstanding = 0;
    return to;
  }

  #makeRoom(peer: Peer, now: number): boolean {
    if (peer.security === null) {
      const network = networkOf(peer.address);
      const full = this.#strangers.count(network) >= this.#limits.strangersPerNetwork;
      if (full && !this.#dropStranger(() => this.#strangers.oldestOf(network), null)) return false;
    }
    return this.#states.size < this.#limits.peers || this.dropStranger() || this.#dropIdle(now);
  }

  #dropStranger(oldest: () => PeerState | undefined, except: PeerState | null): boolean {
    for (let tries = 0; tries < EVICTION_TRIES; tries++) {
      const candidate = oldest();
      if (!candidate) return false;
      if (!candidate.busy && candidate !== except) {
        while (candidate.bodies[0]) candidate.bodies[0].drop();
        this.#forget(candidate);
        this.evicted++;
        return true;
      }
      const network = networkOf(candidate.peer.address);
      this.#strangers.remove(network, candidate);
      this.#strangers.add(network, candidate);
    }
    return false;
  }

  #dropIdle(now: number): boolean {
    for (let tries = 0; tries < EVICTION_TRIES && this.#oldest; tries++) {
      const candidate = this.#oldest;
      if (!candidate.held) {
        this.#forget(candidate);
        this.evicted++;
        return true;
      }
      this.touch(candidate, now);
    }
    return false;
  }

  #forget(state: PeerState): void {
    state.recent?.clear();
    if (!state.proven) this.#strangers.remove(networkOf(state.peer.address), state);
    this.#unlink(state);
    this.#states.delete(state.peer.key);
  }

  #append(state: PeerState): void {
    state.older = this.#newest;
    if (this.#newest) this.#newest.newer = state;
    else this.#oldest = state;
    this.#newest = state;
  }

  #unlink(state: PeerState): void {
    if (state.older) state.older.newer = state.newer;
    else if (this.#oldest === state) this.#oldest = state.newer;
    if (state.newer) state.newer.older = state.older;
    else if (this.#newest === state) this.#newest = state.older;
    state.older = null;
    state.newer = null;
  }
}
