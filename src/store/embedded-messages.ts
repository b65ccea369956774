/** What the thread of the embedded database gets at its start. */
export interface WorkerInput {
  readonly directory: string;
  /** The lock of the directory: see `DirectoryLock`. */
  readonly lock: { readonly file: string; readonly token: string };
}

/** Messages of the main thread: bytes of the wire protocol, the end of a session, the end of the database. */
export type ToDatabase =
  | { readonly kind: 'wire'; readonly session: number; readonly bytes: Uint8Array }
  | { readonly kind: 'session-ended' }
  | { readonly kind: 'close' };

export type FromDatabase =
  | { readonly kind: 'ready' }
  | { readonly kind: 'wire'; readonly session: number; readonly bytes: Uint8Array };

/** Why the thread ends when the lock is lost. */
export const TAKEN = 'another process has taken its directory, because this one did not run for some seconds';
