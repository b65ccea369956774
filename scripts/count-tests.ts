/**
 * `count-tests.ts unit peers` summarizes a CI run. It reads the vitest reports with these names in TEST_REPORT_DIR, prints
 * each failed test with the first lines of the failure, and then the closing line `N passed, N failed` (and `, N skipped`).
 * A file that did not load, an unhandled error and a missing report count as a failed test each.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { UNHANDLED } from './unhandled-errors.ts';

/** The fields that this script reads of vitest's JSON report, which has Jest's format. */
interface Report {
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly TestFile[];
}

interface TestFile {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages: readonly string[];
  }[];
}

/** So many lines of a failure include what was expected and where. */
const LINES_OF_A_FAILURE = 12;

const directory = process.env['TEST_REPORT_DIR'] ?? '.';
let [passed, skipped] = [0, 0];
const failures: string[] = [];

for (const name of process.argv.slice(2)) {
  const report = read(name);
  if (report === null) {
    failures.push(`${name}: no report`);
    continue;
  }
  passed += report.numPassedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  failures.push(...report.testResults.flatMap(failuresOf).map((failure) => `${name}: ${failure}`));
}

failures.push(...unhandled().map((error) => `unhandled error: ${firstLines(error)}`));
for (const failure of failures) console.log(`${failure}\n`);
console.log(`${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failures.length > 0 ? 1 : 0;

function read(name: string): Report | null {
  try {
    return JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8'));
  } catch {
    return null;
  }
}

function unhandled(): string[] {
  const file = join(directory, UNHANDLED);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => String(JSON.parse(line)));
}

function failuresOf(file: TestFile): string[] {
  const path = relative(process.cwd(), file.name);
  const failedTests = file.assertionResults.filter((test) => test.status === 'failed');
  if (failedTests.length === 0 && file.status === 'failed') {
    return [`${path} did not load\n${firstLines(file.message)}`];
  }
  return failedTests.map((test) => `${path}: ${test.fullName}\n${firstLines(test.failureMessages.join('\n'))}`);
}

function firstLines(text: string): string {
  return text.split('\n').slice(0, LINES_OF_A_FAILURE).join('\n');
}
