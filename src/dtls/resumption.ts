import type { Clock } from '../clock.ts';
import { Crowd } from '../network/index.ts';
import type { Proof, SecurityIdentity } from './credential-source.ts';
import { DtlsError } from './error.ts';
import type { ClientHello } from './messages.ts';
import type { Negotiated } from './negotiation.ts';
import type { DtlsLimits } from './settings.ts';
import type { CipherSuite } from './suites.ts';

/**
 * The state of a finished handshake that the device may resume (RFC 5246 §7.3), always with extended master secret (RFC
 * 7627).
 */
export interface Resumable {
  readonly sessionId: Buffer;
  readonly master: Buffer;
  readonly suite: CipherSuite;
  readonly identity: SecurityIdentity;
  readonly proof: Proof;
  /** The session of the last handshake. The next handshake replaces it. */
  readonly sessionKey: string;
  /** Counts from the full handshake; a resumption does not extend it. */
  readonly expiresAt: number;
  /** See `Negotiated.maxFragment`. Absent in sessions that an earlier version saved: not limited. */
  readonly maxFragment?: number | null;
}

/**
 * The resumable sessions, limited in number, also for each credential, and in time. At a limit, the least recently used
 * one of the credential makes room, or that of the credential with the most.
 */
export class Resumables {
  readonly #clock: Clock;
  readonly #limits: DtlsLimits;
  readonly #byId = new Map<string, Resumable>();
  /** The ids by credential, least recently used first. */
  readonly #ids = new Crowd<string>();

  constructor(clock: Clock, limits: DtlsLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get size(): number {
    return this.#byId.size;
  }

  find(sessionId: Buffer): Resumable | null {
    const id = sessionId.toString('hex');
    const found = this.#byId.get(id);
    if (found === undefined) return null;
    if (found.expiresAt > this.#clock.now()) return found;
    this.#forget(id);
    return null;
  }

  keep(resumable: Resumable): void {
    const id = resumable.sessionId.toString('hex');
    const { credential } = resumable.identity;
    this.#forget(id);
    if (this.#ids.count(credential) >= this.#limits.sessionsPerCredential) this.#forget(this.#ids.oldestOf(credential));
    if (this.#byId.size >= this.#limits.resumable) this.#forget(this.#ids.oldestOfLargest());
    this.#byId.set(id, resumable);
    this.#ids.add(credential, id);
  }

  forget(sessionId: Buffer): void {
    this.#forget(sessionId.toString('hex'));
  }

  forgetCredential(credential: string): void {
    while (this.#ids.count(credential) > 0) this.#forget(this.#ids.oldestOf(credential));
  }

  all(): IterableIterator<Resumable> {
    return this.#byId.values();
  }

  #forget(id: string | undefined): void {
    const found = id === undefined ? undefined : this.#byId.get(id);
    if (id === undefined || !found) return;
    this.#byId.delete(id);
    this.#ids.remove(found.identity.credential, id);
  }
}

/** The session that the ClientHello asks to resume; null when the handshake must be a full one. */
export function findResumable(hello: ClientHello, negotiated: Negotiated, resumables: Resumables): Resumable | null {
  if (hello.sessionId.length === 0) return null;
  const found = resumables.find(hello.sessionId);
  if (found?.suite.id !== negotiated.suite.id) return null;
  // RFC 6066 §4: the length of the session holds; a client that wants another one gets a new session.
  if (negotiated.maxFragment !== null && negotiated.maxFragment !== (found.maxFragment ?? null)) return null;
  // RFC 7627 §5.3: a session with extended master secret must not be resumed without it; the server aborts the
  // handshake.
  if (!negotiated.extendedMasterSecret) {
    throw new DtlsError('handshake_failure', 'the device tried to resume without extended master secret');
  }
  return found;
}
