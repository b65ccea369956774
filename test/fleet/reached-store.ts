import type { Store } from '../../src/store/index.ts';

/** What every transaction of `reachedStore` is rejected with. */
export const REACHED = 'the database was reached';

const reached = (): Promise<never> => Promise.reject(new Error(REACHED));

/** No database: it tells that an input was accepted and got as far as the database. */
export const reachedStore: Store = {
  asTenant: reached,
  asSystem: reached,
  ping: reached,
  maintain: reached,
  snapshot: () => ({ connections: { open: 0, idle: 0, waiting: 0 }, lost: 0, refused: 0 }),
  close: reached,
};
