import type { Actor } from '../fleet/index.ts';

/** Why the server ends what a client keeps open. */
export interface SessionEnd {
  readonly code: 'KEY_REVOKED' | 'SERVER_CLOSING';
  readonly message: string;
}

const REVOKED: SessionEnd = { code: 'KEY_REVOKED', message: 'The API key was revoked.' };
const CLOSING: SessionEnd = { code: 'SERVER_CLOSING', message: 'The server is closing.' };

/** Everything that outlives a request: subscriptions and WebSockets, which end with their key and with the server. */
export class Sessions {
  readonly #open = new Map<object, { keyId: string | null; end: (why: SessionEnd) => void }>();
  #closed = false;

  /** `end` is called at most once. Returns what is to be called when the session ended otherwise. */
  open({ keyId }: Actor, end: (why: SessionEnd) => void): () => void {
    const session = {};
    this.#open.set(session, { keyId, end });
    if (this.#closed) queueMicrotask(() => this.#end(session, CLOSING));
    return () => void this.#open.delete(session);
  }

  get count(): number {
    return this.#open.size;
  }

  revoke(keyId: string): void {
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
