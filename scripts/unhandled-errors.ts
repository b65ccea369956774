import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestModule, SerializedError } from 'vitest/node';

/** Where a run leaves them for scripts/count-tests.ts, one JSON string a line. */
export const UNHANDLED = 'unhandled.jsonl';

/**
 * A reporter of vitest for CI: errors that no test waited for fail a run, and stand in no test's report. They are added
 * to a file of TEST_REPORT_DIR.
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
