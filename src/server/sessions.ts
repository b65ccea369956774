import type { Actor } from '../fleet/index.ts';

/** Why the server ends a subscription or a WebSocket. */
export interface SessionEnd {
  readonly code: 'KEY_REVOKED' | 'SERVER_CLOSING';
  readonly message: string;
}

const REVOKED: SessionEnd = { code: 'KEY_REVOKED', message: 'The API key was revoked.' };
const CLOSING: SessionEnd = { code: 'SERVER_CLOSING', message: 'The server is closing.' };

/**
 * How many revoked keys are remembered, for sessions that were authenticated before the revocation and open after it.
 */
const REMEMBERED = 1_000;

/** The open subscriptions and WebSockets. They end when their API key is revoked and when the server closes. */
export class Sessions {
  readonly #open = new Map<object, { keyId: string | null; end: (why: SessionEnd) => void }>();
  readonly #revoked = new Set<string>();
  #closed = false;

  /** Calls `end` at most once. Call the returned function when the session ends by itself. */
  open({ keyId }: Actor, end: (why: SessionEnd) => void): () => void {
    const session = {};
    this.#open.set(session, { keyId, end });
    if (this.#closed) queueMicrotask(() => this.#end(session, CLOSING));
    else if (keyId !== null && this.#revoked.has(keyId)) queueMicrotask(() => this.#end(session, REVOKED));
    return () => void this.#open.delete(session);
  }

  get count(): number {
    return this.#open.size;
  }

  /** Ends the sessions of the key and refuses new ones. */
  revoke(keyId: string): void {
    for (const oldest of this.#revoked) {
      if (this.#revoked.size < REMEMBERED) break;
      this.#revoked.delete(oldest);
    }
    this.#revoked.add(keyId);
    for (const [session, open] of this.#open) if (open.keyId === keyId) this.#end(session, REVOKED);
  }

  /** Ends the sessions of all API keys: revocations were missed, so the revoked keys are unknown. */
  revokeAny(): void {
    for (const [session, open] of this.#open) if (open.keyId !== null) this.#end(session, REVOKED);
  }

  /** Ends all sessions and refuses new ones. */
  close(): void {
    this.#closed = true;
    for (const session of this.#open.keys()) this.#end(session, CLOSING);
  }

  #end(session: object, why: SessionEnd): void {
    const open = this.#open.get(session);
    this.#open.delete(session);
    open?.end(why);
  }
}
