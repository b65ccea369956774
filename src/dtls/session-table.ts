import { type Address, addressKey } from './address.ts';
import type { Session } from './session.ts';

/** The order of the table is updated at most this often per session, to save time for each record. */
const TOUCH_INTERVAL_MS = 1_000;

/** The open sessions by key, address and credential, the least recently active first. */
export class SessionTable {
  readonly #byKey = new Map<string, Session>();
  readonly #byAddress = new Map<string, Session>();
  /**
   * Uses a list only for several sessions: most credentials have one, and a list for each would take noticeable memory.
   */
  readonly #byCredential = new Map<string, Session | Session[]>();

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Session | undefined {
    return this.#byKey.get(key);
  }

  /** Returns the session for records without a Connection ID from this address. */
  at(address: Address): Session | undefined {
    return this.#byAddress.get(addressKey(address));
  }

  leastRecentlyActive(): Session | undefined {
    const [session] = this.#byKey.values();
    return session;
  }

  all(): IterableIterator<Session> {
    return this.#byKey.values();
  }

  /** Returns the sessions of a credential, the oldest first. */
  of(credential: string): readonly Session[] {
    const there = this.#byCredential.get(credential);
    if (there === undefined) return [];
    return Array.isArray(there) ? there : [there];
  }

  add(session: Session): void {
    this.#byKey.set(session.key, session);
    this.#join(session);
    this.#arrive(session);
  }

  remove(session: Session): void {
    this.#byKey.delete(session.key);
    this.#part(session);
    this.#leave(session);
  }

  move(session: Session, address: Address): void {
    this.#leave(session);
    session.moveTo(address);
    this.#arrive(session);
  }

  touch(session: Session, now: number): void {
    if (now - session.activeAt < TOUCH_INTERVAL_MS) return;
    session.activeAt = now;
    this.#byKey.delete(session.key);
    this.#byKey.set(session.key, session);
  }

  #join(session: Session): void {
    const { credential } = session.parts.identity;
    const there = this.#byCredential.get(credential);
    if (Array.isArray(there)) there.push(session);
    else this.#byCredential.set(credential, there === undefined ? session : [there, session]);
  }

  #part(session: Session): void {
    const { credential } = session.parts.identity;
    const there = this.#byCredential.get(credential);
    if (there === session) this.#byCredential.delete(credential);
    if (!Array.isArray(there)) return;
    const at = there.indexOf(session);
    if (at >= 0) there.splice(at, 1);
    const [first] = there;
    if (there.length === 1 && first !== undefined) this.#byCredential.set(credential, first);
  }

  /**
   * A session without a Connection ID is found only by its address, so no other session replaces it here. A session
   * with a Connection ID is found by that ID, and its address may be spoofed (RFC 9146 §6).
   */
  #arrive(session: Session): void {
    const key = addressKey(session.path.address);
    const there = this.#byAddress.get(key);
    if (there === undefined || there.usesCid) this.#byAddress.set(key, session);
  }

  /** With Connection IDs, another session may own the address by now. */
  #leave(session: Session): void {
    const key = addressKey(session.path.address);
    if (this.#byAddress.get(key) === session) this.#byAddress.delete(key);
  }
}
