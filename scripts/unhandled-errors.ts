import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestModule, SerializedError } from 'vitest/node';

/** The file of unhandled errors for scripts/count-tests.ts, one JSON string per line. */
export const UNHANDLED = 'unhandled.jsonl';

/**
 * A vitest reporter for CI. Unhandled errors fail a run, but vitest's JSON report lacks them, so this reporter appends
 * them to a file in TEST_REPORT_DIR.
 */
export default class UnhandledErrors implements Reporter {
  onTestRunEnd(_modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const directory = process.env['TEST_REPORT_DIR'];
    if (directory === undefined) return;
    for (const { message, stack } of errors) {
      appendFileSync(join(directory, UNHANDLED), `${JSON.stringify(`${message}\n${stack ?? ''}`)}\n`);
    }
  }
}
