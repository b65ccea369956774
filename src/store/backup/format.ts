/**
 * A backup is a gzip file (RFC 1952) of lines, each a JSON value in UTF-8:
 *
 *     {"treeline":"backup","format":1,"version":"0.1.0","schema":1767225600000,"createdAt":"2026-…","secretKey":"…"}
 *     {"table":"tenants","columns":["id","name","created_at"]}
 *     ["acme","Acme","2026-01-02 03:04:05+00"]
 *     {"sequence":{"table":"rpcs","column":"sequence","value":"17","called":true}}
 *     {"end":{"rows":1,"sha256":"…"}}
 *
 * A row has the text form of each value (PostgreSQL manual, "Data Types"), or null. A table comes after the tables that
 * its foreign keys refer to. `sha256` is that of all bytes before the last line: a file without it is not complete.
 */

/** The version of the format; it changes when an older program could not read the file. */
export const FORMAT = 1;

export interface BackupHeader {
  /** The version of Treeline that made the backup. */
  readonly version: string;
  /** The last migration of the database: `when` in migrations/meta/_journal.json. */
  readonly schema: number;
  /** ISO 8601 */
  readonly createdAt: string;
  /** The check value of the secret key, as the table `settings` has it; null in a database of an earlier version. */
  readonly secretKey: string | null;
}

/** Where an identity column goes on. */
export interface SequenceState {
  readonly table: string;
  readonly column: string;
  /** A bigint in decimal digits. */
  readonly value: string;
  /** False if `value` itself is the next one. */
  readonly called: boolean;
}

export type Row = readonly (string | null)[];

export type BackupPart =
  | { readonly kind: 'table'; readonly table: string; readonly columns: readonly string[] }
  | { readonly kind: 'row'; readonly row: Row }
  | { readonly kind: 'sequence'; readonly sequence: SequenceState };

/** A file is not a backup, is damaged, or can't be restored here. The message is one line. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

export function headerLine(header: BackupHeader): string {
  return `${JSON.stringify({ treeline: 'backup', format: FORMAT, ...header })}\n`;
}

export function partLine(part: BackupPart): string {
  switch (part.kind) {
    case 'table':
      return `${JSON.stringify({ table: part.table, columns: part.columns })}\n`;
    case 'row':
      return `${JSON.stringify(part.row)}\n`;
    case 'sequence':
      return `${JSON.stringify({ sequence: part.sequence })}\n`;
  }
}

export function endLine(rows: number, sha256: string): string {
  return `${JSON.stringify({ end: { rows, sha256 } })}\n`;
}

/** Throws BackupError if the line is not the header of a backup that this version can read. */
export function parseHeader(line: string): BackupHeader {
  const { treeline, format, version, schema, createdAt, secretKey } = objectOf(line) ?? {};
  if (treeline !== 'backup') throw new BackupError('it is not a backup of Treeline');
  if (format !== FORMAT) {
    throw new BackupError(`its format is ${JSON.stringify(format)}, and this version reads format ${FORMAT}`);
  }
  if (
    typeof version === 'string' &&
    typeof schema === 'number' &&
    typeof createdAt === 'string' &&
    (typeof secretKey === 'string' || secretKey === null)
  ) {
    return { version, schema, createdAt, secretKey };
  }
  throw new BackupError('its header is damaged');
}

/** Reads a line after the header; null if it is none. */
export function parsePart(line: string): BackupPart | null {
  const value = parse(line);
  if (isRow(value)) return { kind: 'row', row: value };
  const { table, columns, sequence } = objectOf(line) ?? {};
  if (typeof table === 'string' && isRow(columns)) {
    return { kind: 'table', table, columns: columns.filter((column) => column !== null) };
  }
  return isSequence(sequence) ? { kind: 'sequence', sequence } : null;
}

/** Reads the last line; null if it is none. */
export function parseEnd(line: string): { readonly rows: number; readonly sha256: string } | null {
  const end: unknown = objectOf(line)?.['end'];
  if (!isObject(end)) return null;
  const { rows, sha256 } = end;
  return typeof rows === 'number' && typeof sha256 === 'string' ? { rows, sha256 } : null;
}

function isRow(value: unknown): value is Row {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' || one === null);
}

function isSequence(value: unknown): value is SequenceState {
  if (!isObject(value)) return false;
  const { table, column, value: last, called } = value;
  return [table, column, last].every((one) => typeof one === 'string') && typeof called === 'boolean';
}

function objectOf(line: string): Readonly<Record<string, unknown>> | null {
  const value = parse(line);
  return isObject(value) ? value : null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
