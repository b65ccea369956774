import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Lwm2mError } from '../lwm2m/index.ts';
import { spellError } from './decode-spelling.ts';

/** Where a command reads and writes: the process, or a test's streams. */
export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Writable;
}

/**
 * Answers each line of standard input, a JSON value, with one line of standard output. What is wrong with a line is
 * its answer; the next one is read all the same.
 */
export async function runJsonLines({ stdin, stdout }: Streams, answer: (line: unknown) => unknown): Promise<void> {
  // Whoever read our lines (head, a closed pager) has enough of them.
  stdout.once('error', () => process.exit());
  for await (const line of createInterface({ input: stdin, crlfDelay: Infinity })) {
    const written = stdout.write(`${JSON.stringify(answerOrError(() => answer(parseLine(line))))}\n`);
    if (!written) await once(stdout, 'drain');
  }
}

/** One answer; an error makes the exit code 1. */
export function printOne({ stdout }: Streams, answer: () => unknown): void {
  const told = answerOrError(answer);
  if (typeof told === 'object' && told !== null && 'error' in told) process.exitCode = 1;
  stdout.write(`${JSON.stringify(told)}\n`);
}

/** The content format of a line. Throws INVALID_ARGUMENT. */
export function contentFormatOf({ contentFormat }: Readonly<Record<string, unknown>>): number {
  if (typeof contentFormat === 'number' && Number.isInteger(contentFormat)) return contentFormat;
  throw new Lwm2mError('INVALID_ARGUMENT', 'the content format is a number, as 11542');
}

function answerOrError(answer: () => unknown): unknown {
  try {
    return answer();
  } catch (error) {
    return spellError(error);
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Lwm2mError('INVALID_ARGUMENT', 'the line is not JSON', { cause });
  }
}
