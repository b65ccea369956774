import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Lwm2mError } from '../lwm2m/index.ts';
import { spellError } from './decode-spelling.ts';

/** Standard input and output of a command: those of the process or of a test. */
export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Writable;
}

/**
 * Reads one JSON value per line from standard input and writes one result per line to standard output. An invalid line
 * results in an error object; reading continues with the next line.
 */
export async function runJsonLines({ stdin, stdout }: Streams, answer: (line: unknown) => unknown): Promise<void> {
  // The reader of standard output (head, a pager) has closed it.
  stdout.once('error', () => process.exit());
  for await (const line of createInterface({ input: stdin, crlfDelay: Infinity })) {
    const written = stdout.write(`${JSON.stringify(answerOrError(() => answer(parseLine(line))))}\n`);
    if (!written) await once(stdout, 'drain');
  }
}

/** Prints one result; an error sets the exit code to 1. */
export function printOne({ stdout }: Streams, answer: () => unknown): void {
  const result = answerOrError(answer);
  if (typeof result === 'object' && result !== null && 'error' in result) process.exitCode = 1;
  stdout.write(`${JSON.stringify(result)}\n`);
}

/** Returns the content format of a line. Throws INVALID_ARGUMENT. */
export function contentFormatOf({ contentFormat }: Readonly<Record<string, unknown>>): number {
  if (typeof contentFormat === 'number' && Number.isInteger(contentFormat)) return contentFormat;
  throw new Lwm2mError('INVALID_ARGUMENT', '"contentFormat" must be an integer, for example 11542');
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
    throw new Lwm2mError('INVALID_ARGUMENT', 'the line must be valid JSON', { cause });
  }
}
