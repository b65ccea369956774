import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

import { BackupError, parseEnd, parseHeader, parsePart, type BackupHeader, type BackupPart } from './format.ts';

/** Far longer than any row; a damaged file must not fill the memory. */
const LONGEST_LINE = 128 * 1024 * 1024;
const NEWLINE = 10;

/**
 * Reads a backup to its end and throws BackupError, with the file's name, unless it is complete and undamaged. Resolves
 * with its header and the number of its rows.
 */
export async function verifyBackup(file: string): Promise<{ readonly header: BackupHeader; readonly rows: number }> {
  const found = await stat(file).catch(() => null);
  if (found === null) throw new BackupError(`${file} does not exist or can't be read`);
  // It is read twice.
  if (!found.isFile()) throw new BackupError(`${file} is not a file`);
  let header: BackupHeader | null = null;
  let rows = 0;
  for await (const part of readBackup(file, (read) => (header = read))) if (part.kind === 'row') rows++;
  if (header === null) throw new BackupError(`${file} is not a backup of Treeline`);
  return { header, rows };
}

/**
 * The parts of a backup, in order; `onHeader` gets its header first. Throws BackupError when it finds the damage, which
 * may be at the end: use the parts only in a transaction.
 */
export async function* readBackup(
  file: string,
  onHeader: (header: BackupHeader) => void = () => {},
): AsyncGenerator<BackupPart> {
  try {
    yield* parts(file, onHeader);
  } catch (error) {
    throw new BackupError(`can't read the backup ${file}: ${reason(error)}`);
  }
}

async function* parts(file: string, onHeader: (header: BackupHeader) => void): AsyncGenerator<BackupPart> {
  const hash = createHash('sha256');
  let [first, ended, rows] = [true, false, 0];
  for await (const bytes of linesOf(file)) {
    if (ended) throw new BackupError('it goes on after its end');
    const line = bytes.toString();
    const end = first ? null : parseEnd(line);
    if (end !== null) {
      if (end.sha256 !== hash.digest('hex') || end.rows !== rows) throw new BackupError('it is damaged');
      ended = true;
      continue;
    }
    hash.update(bytes);
    if (first) {
      onHeader(parseHeader(line));
      first = false;
      continue;
    }
    const part = parsePart(line);
    if (part === null) throw new BackupError('it is damaged');
    if (part.kind === 'row') rows++;
    yield part;
  }
  if (!ended) throw new BackupError(first ? 'it is empty' : 'it is not complete');
}

/** The lines of a gzip file, each with its newline. */
async function* linesOf(file: string): AsyncGenerator<Buffer> {
  const source = createReadStream(file);
  const text = createGunzip();
  source.once('error', (error) => text.destroy(error));
  source.pipe(text);
  let begun: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of text as AsyncIterable<Buffer>) {
      let at = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
        const last = chunk.subarray(at, end + 1);
        yield begun.length === 0 ? last : Buffer.concat([...begun, last]);
        [begun, length, at] = [[], 0, end + 1];
      }
      if (at < chunk.length) begun.push(chunk.subarray(at));
      length += chunk.length - at;
      if (length > LONGEST_LINE) throw new BackupError('it is damaged');
    }
    if (begun.length > 0) throw new BackupError('it is not complete');
  } finally {
    source.destroy();
  }
}

function reason(error: unknown): string {
  if (error instanceof BackupError) return error.message;
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'Z_BUF_ERROR') return 'it is not complete';
  if (code === 'Z_DATA_ERROR') return 'it is damaged, or not a backup of Treeline';
  return error instanceof Error ? error.message : String(error);
}
