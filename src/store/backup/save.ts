import { createHash } from 'node:crypto';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import { escapeIdentifier, escapeLiteral, type ClientBase } from 'pg';

import { connectOwner, type DatabaseLocation } from '../owner.ts';
import { fromConnection } from '../error.ts';
import { appliedMigration, placeOf } from '../migrate.ts';
import { presentPrefix, roleNames } from '../roles.ts';
import { settingsSql } from '../session.ts';
import { SECRET_KEY_CHECK } from '../tables/index.ts';
import { tableNames, tablesOf, type TableShape } from './catalog.ts';
import { BackupError, endLine, headerLine, partLine, type BackupHeader, type Row } from './format.ts';

/** A statement, or the time that the reader of the output takes for a batch. */
const LONGEST_MS = 3_600_000;
/** How many rows are in memory at once: as many as have about this size, but at most MOST_ROWS. */
const BATCH_BYTES = 1024 * 1024;
const MOST_ROWS = 1_000;
const FIRST_ROWS = 50;

export interface SavedBackup {
  readonly header: BackupHeader;
  readonly tables: number;
  readonly rows: number;
}

/**
 * Writes a backup of the whole database to `output` and ends it. It is one snapshot (REPEATABLE READ), also while servers
 * use the Postgres database; migrations wait for its end. The embedded database must not be in use (IN_USE). It changes
 * nothing and needs no other rights than a server. Throws BackupError, StoreError, or the error of `output`.
 */
export async function saveBackup(
  { database, version, at }: { readonly database: DatabaseLocation; readonly version: string; readonly at: Date },
  output: Writable,
): Promise<SavedBackup> {
  const { client, embedded, schema: wanted, close } = await connectOwner(database, { create: false });
  try {
    const { schema } = await placeOf(client, wanted);
    const names = await tableNames(client, schema);
    if (!names.includes('tenants')) throw new BackupError(`the schema ${schema} has no tables of Treeline`);
    // Before the first query of the transaction, which takes the snapshot: no migration may come between.
    const tables = names.map((name) => `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`);
    await client.query('begin isolation level repeatable read, read only');
    await client.query(`lock table ${tables.join(', ')} in access share mode`);
    const deadlines = { statementMs: LONGEST_MS, lockMs: LONGEST_MS, idleTransactionMs: LONGEST_MS };
    await client.query(settingsSql(schema, embedded ? null : deadlines, true));
    const saved = await written(client, { schema, version, at }, output);
    await client.query('commit');
    return saved;
  } catch (error) {
    if (error instanceof BackupError || isOfStream(error)) throw error;
    throw fromConnection(error);
  } finally {
    await close();
  }
}

async function written(
  client: ClientBase,
  { schema, version, at }: { readonly schema: string; readonly version: string; readonly at: Date },
  output: Writable,
): Promise<SavedBackup> {
  const migration = await appliedMigration(client, schema);
  const prefix = await presentPrefix(client);
  if (migration === null || prefix === null) {
    throw new BackupError(`the schema ${schema} is not a complete database of Treeline; start the server once`);
  }
  const tables = await tablesOf(client, schema);
  const sequences = await sequencesOf(client, tables);
  // From here on with the rights of a transaction across tenants: row security applies to the owner too.
  await client.query(`select set_config('role', ${escapeLiteral(roleNames(prefix).system)}, true)`);
  const header = { version, schema: migration, createdAt: at.toISOString(), secretKey: await secretKeyOf(client) };
  const hash = createHash('sha256');
  let rows = 0;
  async function* text(): AsyncGenerator<string> {
    for await (const lines of linesOf()) {
      hash.update(lines);
      yield lines;
    }
    yield endLine(rows, hash.digest('hex'));
  }
  async function* linesOf(): AsyncGenerator<string> {
    yield headerLine(header);
    for (const table of tables) {
      yield partLine({ kind: 'table', table: table.name, columns: table.columns.map(({ name }) => name) });
      for await (const batch of rowsOf(client, table)) {
        rows += batch.length;
        yield batch.map((row) => partLine({ kind: 'row', row })).join('');
      }
    }
    for (const sequence of sequences) yield partLine({ kind: 'sequence', sequence });
  }
  await pipeline(Readable.from(text()), createGzip({ level: 4 }), output);
  return { header, tables: tables.length, rows };
}

async function* rowsOf(client: ClientBase, { sqlName, columns }: TableShape): AsyncGenerator<readonly Row[]> {
  const values = columns.map(({ name }) => `${escapeIdentifier(name)}::text`);
  await client.query(`declare backup_rows no scroll cursor for select ${values.join(', ')} from ${sqlName}`);
  for (let most = FIRST_ROWS; ;) {
    const { rows } = await client.query<(string | null)[]>({
      text: `fetch ${most} from backup_rows`,
      rowMode: 'array',
    });
    if (rows.length > 0) yield rows;
    if (rows.length < most) break;
    const bytes = rows.flat().reduce((sum, value) => sum + (value?.length ?? 0), 1);
    most = Math.max(1, Math.min(MOST_ROWS, Math.floor((BATCH_BYTES * rows.length) / bytes)));
  }
  await client.query('close backup_rows');
}

async function sequencesOf(
  client: ClientBase,
  tables: readonly TableShape[],
): Promise<{ table: string; column: string; value: string; called: boolean }[]> {
  const states = [];
  for (const { name, sqlName, identities } of tables) {
    for (const column of identities) {
      const named = await client.query<{ sequence: string }>(`select pg_get_serial_sequence($1, $2) as sequence`, [
        sqlName,
        column,
      ]);
      const { rows } = await client.query<{ value: string; called: boolean }>(
        `select last_value::text as value, is_called as called from ${named.rows[0]?.sequence}`,
      );
      const [state] = rows;
      if (state) states.push({ table: name, column, ...state });
    }
  }
  return states;
}

async function secretKeyOf(client: ClientBase): Promise<string | null> {
  const { rows } = await client.query<{ value: unknown }>('select value from settings where key = $1', [
    SECRET_KEY_CHECK,
  ]);
  const value = rows[0]?.value;
  return typeof value === 'string' ? value : null;
}

/** Errors of files and pipes have a `syscall` or end a stream early; those of the database have neither. */
function isOfStream(error: unknown): boolean {
  return (
    error instanceof Error && ('syscall' in error || ('code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'))
  );
}
