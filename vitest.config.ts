import { defineConfig } from 'vitest/config';

/**
 * `unit` needs nothing but Node (PGlite is the database); `peers` needs the peers that
 * scripts/test-peers.sh installs and starts: Java, libcoap, a Kafka broker, Postgres.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/interop/**', 'test/bench/**'],
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
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
