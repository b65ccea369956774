import type { Clock } from '../clock.ts';
import { StoreError } from './error.ts';

/** Resolves with what `work` resolves with. Rejects with LOST when that takes longer than `ms` milliseconds. */
export async function within<T>(clock: Clock, ms: number, work: () => Promise<T>): Promise<T> {
  let cancel = (): void => {};
  const late = new Promise<never>((_, reject) => {
    const timer = clock.after(ms, () => reject(new StoreError('LOST', `the database did not answer within ${ms} ms`)));
    cancel = () => timer.cancel();
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    cancel();
  }
}
