import type { Clock, Timer } from '../clock.ts';
import { StoreError } from './error.ts';

/** Resolves with what `work` resolves with. Rejects with LOST when that takes longer than `ms` milliseconds. */
export async function within<T>(clock: Clock, ms: number, work: () => Promise<T>): Promise<T> {
  const waiting: { timer?: Timer } = {};
  const late = new Promise<never>((_, reject) => {
    waiting.timer = clock.after(ms, () =>
      reject(new StoreError('LOST', `the database did not answer within ${ms} ms`)),
    );
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    waiting.timer?.cancel();
  }
}
