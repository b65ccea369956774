import { defineConfig } from 'vitest/config';
import { LoadErrors } from './load-errors.ts';

/** The run says by this variable which test files judge the module: their glob patterns as a JSON array. */
export const TESTS_VARIABLE = 'MUTATION_TESTS';

/** As the project `unit` of vitest.config.ts, for StrykerJS, which cannot choose one project of several. */
export default defineConfig({
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: JSON.parse(process.env[TESTS_VARIABLE] ?? '[]'),
    setupFiles: ['scripts/mutation/short-properties.ts'],
    reporters: [new LoadErrors()],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // One worker runs all test files of a mutant. The next mutant gets a fresh worker, so no mutant sees another's state.
    isolate: false,
  },
});
