/**
 * `count-tests.ts unit peers` prints the closing line of a CI run, `N passed, N failed` (and `, N skipped`), over the
 * vitest reports of these names in TEST_REPORT_DIR. A file that did not load counts as a failed test, and so does a
 * report that is not there.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is read here of vitest's JSON reporter, which writes Jest's format. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

const directory = process.env['TEST_REPORT_DIR'] ?? '.';
let [passed, failed, skipped] = [0, 0, 0];

for (const name of process.argv.slice(2)) {
  const report = read(name);
  if (report === null) {
    console.error(`no report of the ${name} tests`);
    failed += 1;
    continue;
  }
  passed += report.numPassedTests;
  failed += report.numFailedTests + report.testResults.filter(didNotLoad).length;
  skipped += report.numPendingTests + report.numTodoTests;
}

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;

function read(name: string): Report | null {
  try {
    return JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8'));
  } catch {
    return null;
  }
}

function didNotLoad(file: Report['testResults'][number]): boolean {
  return file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed');
}
