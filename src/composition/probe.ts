import type { Clock } from '../clock.ts';

/** Health and metrics answer within two seconds, whatever hangs. */
const PATIENCE_MS = 1_500;

/**
 * Asks a service that may hang. Resolves with its answer, or with null after 1.5 s; rejects when it does. Callers share
 * one request at a time, so that they use up no connections of a service that does not answer.
 */
export function probe<T>(ask: () => Promise<T>, clock: Clock): () => Promise<T | null> {
  let pending: Promise<T> | null = null;
  return async () => {
    pending ??= ask().finally(() => (pending = null));
    const answer = pending;
    return new Promise<T | null>((resolve, reject) => {
      const late = clock.after(PATIENCE_MS, () => resolve(null));
      answer.then(resolve, reject).finally(() => late.cancel());
    });
  };
}
