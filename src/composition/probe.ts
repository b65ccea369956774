import { answerWithin, type Clock } from '../clock.ts';

/** Health and metrics answer within two seconds, whatever hangs. */
const PATIENCE_MS = 1_500;
/** For the metrics, which may have waited before for the check of the token. */
export const METRICS_PATIENCE_MS = 900;

/**
 * Asks a service that may hang. Resolves with its answer, or with null after `patienceMs` (1.5 s); rejects when it does.
 * Callers share one request at a time, so that they use up no connections of a service that does not answer.
 */
export function probe<T>(ask: () => Promise<T>, clock: Clock, patienceMs = PATIENCE_MS): () => Promise<T | null> {
  let pending: Promise<T> | null = null;
  return () => {
    pending ??= ask().finally(() => (pending = null));
    return answerWithin(patienceMs, pending, clock);
  };
}
