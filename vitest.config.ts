import { defineConfig } from 'vitest/config';

/**
 * Vite resolves graphql to its ES modules, Node (for the libraries that vitest leaves to it) to the CommonJS ones: two
 * copies, which refuse each other's types. Everybody gets Node's.
 */
const resolve = { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] };

/**
 * `unit` and `e2e` (the whole product in a process of its own) need nothing but Node: PGlite is the database. `peers`
 * needs the peers that scripts/test-peers.sh installs: Java, libcoap, a Kafka broker, Postgres.
 */
export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/interop/**', 'test/e2e/**', 'test/bench/**'],
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        resolve,
        test: {
          name: 'peers',
          include: ['test/interop/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
