import type { Clock, Timer } from '../../clock.ts';
import type { Log } from '../common/index.ts';
import type { RpcJournal } from './rpc-journal.ts';
import type { Rpc } from './rpc.ts';

const RETRY_MS = 5_000;

/**
 * Expires the persistent calls that wait. It sets one timer, for the earliest expiry, and finds the calls in the
 * database.
 */
export class RpcExpiry {
  readonly #parts: { readonly journal: RpcJournal; readonly clock: Clock; readonly log: Log };
  readonly #expire: (rpc: Rpc, now: number) => Promise<void>;
  #next: { readonly timer: Timer; readonly at: number } | null = null;
  #stopped = false;

  /** `expire` is called for each call that has reached its `expiresAt`. */
  constructor(
    parts: { journal: RpcJournal; clock: Clock; log: Log },
    expire: (rpc: Rpc, now: number) => Promise<void>,
  ) {
    this.#parts = parts;
    this.#expire = expire;
  }

  /** Sets the timer to `at`, in milliseconds since the Unix epoch, unless it is set to an earlier time. */
  at(at: number): void {
    if (this.#stopped || (this.#next && this.#next.at <= at)) return;
    this.#next?.timer.cancel();
    const { clock, log } = this.#parts;
    const timer = clock.after(Math.max(0, at - clock.now()), () => {
      this.#next = null;
      void this.#sweep().catch((error: unknown) => {
        log.error({ err: error }, 'expired calls could not be recorded');
        this.at(clock.now() + RETRY_MS);
      });
    });
    this.#next = { timer, at };
  }

  stop(): void {
    this.#stopped = true;
    this.#next?.timer.cancel();
  }

  async #sweep(): Promise<void> {
    const now = this.#parts.clock.now();
    const { due, next } = await this.#parts.journal.overdue(now);
    for (const rpc of due) await this.#expire(rpc, now);
    if (next !== null) this.at(next);
  }
}
