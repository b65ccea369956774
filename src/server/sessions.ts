import type { Actor } from '../fleet/index.ts';

/** Why the server ends what a client keeps open. */
export interface SessionEnd {
  readonly code: 'KEY_REVOKED' | 'SERVER_CLOSING';
  readonly message: string;
}

const REVOKED: SessionEnd = { code: 'KEY_REVOKED', message: 'The API key was revoked.' };
const CLOSING: SessionEnd = { code: 'SERVER_CLOSING', message: 'The server is closing.' };

/** How many revoked keys are remembered: what was authenticated just before opens just after. */
const REMEMBERED = 1_000;

/** Everything that outlives a request: subscriptions and WebSockets, which end with their key and with the server. */
export class Sessions {
  readonly #open = new Map<object, { keyId: string | null; end: (why: SessionEnd) => void }>();
  readonly #revoked = new Set<string>();
  #closed = false;

  /** `end` is called at most once. Returns what is to be called when the session ended otherwise. */
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

  /** Ends the key's sessions, and those to come. */
  revoke(keyId: string): void {
    for (const oldest of this.#revoked) {
      if (this.#revoked.size < REMEMBERED) break;
      this.#revoked.delete(oldest);
    }
    this.#revoked.add(keyId);
    for (const [session, open] of this.#open) if (open.keyId === keyId) this.#end(session, REVOKED);
  }

  /** Keys were revoked, and nobody can say which. */
  revokeAny(): void {
    for (const [session, open] of this.#open) if (open.keyId !== null) this.#end(session, REVOKED);
  }

  /** Ends all, and those to come. */
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
