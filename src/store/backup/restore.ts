import { escapeIdentifier, escapeLiteral, type ClientBase } from 'pg';

import { fromConnection, StoreError } from '../error.ts';
import { appliedMigration, knownMigrations, migrate, type Schema } from '../migrate.ts';
import { connectOwner, type DatabaseLocation } from '../owner.ts';
import { tableNames, tablesOf, type TableShape } from './catalog.ts';
import { BackupError, type BackupHeader, type Row, type SequenceState } from './format.ts';
import { readBackup } from './read.ts';

const LOCK_MS = 60_000;
/** The rows of one statement. */
const MOST_ROWS = 500;
const MOST_CHARACTERS = 1024 * 1024;

export interface RestoreOptions {
  readonly database: DatabaseLocation;
  readonly file: string;
  /** As `verifyBackup` read it. */
  readonly header: BackupHeader;
  readonly onNotice?: (text: string) => void;
}

/**
 * Restores a backup into a database without tables, in one transaction: the tables as they were when the backup was made,
 * then their rows, then the later migrations. Call `verifyBackup` first. Throws BackupError or StoreError in one line; the
 * database then is as before.
 */
export async function restoreBackup({ database, file, header, onNotice }: RestoreOptions): Promise<void> {
  const known = knownMigrations();
  if (header.schema > (known.at(-1) ?? 0)) {
    throw new BackupError(
      `the backup has the schema of a newer version of Treeline (${header.version}); restore it with that version`,
    );
  }
  if (!known.includes(header.schema)) {
    throw new BackupError(`this version does not know the schema of the backup (${header.schema})`);
  }
  const { client, embedded, schema: wanted, close } = await connectOwner(database, { create: true });
  try {
    await migrate(client, {
      embedded,
      schema: wanted,
      prefix: database.kind === 'postgres' ? (database.roles ?? null) : null,
      lockMs: LOCK_MS,
      onNotice: (text) => onNotice?.(text),
      filling: {
        migration: header.schema,
        requireEmpty: (schema) => requireEmpty(client, schema, database),
        insert: (schema) => insertParts(client, schema, file),
      },
    });
    // The statistics for the planner; a superuser's tables are not this user's.
    await client.query('analyze').catch(() => {});
  } catch (error) {
    throw error instanceof StoreError ? error : fromConnection(error);
  } finally {
    await close();
  }
}

async function requireEmpty(client: ClientBase, schema: string, database: DatabaseLocation): Promise<void> {
  const [table] = await tableNames(client, schema);
  const migrated = (await appliedMigration(client, schema)) !== null;
  if (table === undefined && !migrated) return;
  const found = table === undefined ? 'a record of migrations' : `the table ${table}`;
  throw new Error(
    database.kind === 'embedded'
      ? `the database in ${database.directory} is not empty: it has ${found}; move the directory away first`
      : `the database is not empty: the schema ${schema} has ${found}; create a new database, or drop the schemas ${schema} and drizzle`,
  );
}

async function insertParts(client: ClientBase, { name: schema, roles }: Schema, file: string): Promise<void> {
  const shapes = new Map((await tablesOf(client, schema)).map((shape) => [shape.name, shape]));
  const sequences: SequenceState[] = [];
  let insert: Insert | null = null;
  // Row security applies to the owner too.
  await client.query(`select set_config('role', ${escapeLiteral(roles.system)}, true)`);
  for await (const part of readBackup(file)) {
    if (part.kind === 'table') {
      await insert?.flush();
      insert = new Insert(client, shapeOf(shapes, part.table, part.columns), part.columns);
    } else if (part.kind === 'row') {
      if (insert === null) throw new BackupError('a row of the backup belongs to no table');
      await insert.add(part.row);
    } else {
      sequences.push(part.sequence);
    }
  }
  await insert?.flush();
  await client.query(`select set_config('role', 'none', true)`);
  for (const { table, column, value, called } of sequences) {
    const shape = shapes.get(table);
    if (!shape?.identities.includes(column))
      throw new BackupError(`${table}.${column} of the backup is not an identity`);
    await client.query('select setval(pg_get_serial_sequence($1, $2), $3::bigint, $4)', [
      shape.sqlName,
      column,
      value,
      called,
    ]);
  }
}

function shapeOf(shapes: ReadonlyMap<string, TableShape>, table: string, columns: readonly string[]): TableShape {
  const shape = shapes.get(table);
  if (shape === undefined) throw new BackupError(`the backup has an unknown table: ${table}`);
  const unknown = columns.find((column) => !shape.columns.some(({ name }) => name === column));
  if (unknown !== undefined) throw new BackupError(`the backup has an unknown column: ${table}.${unknown}`);
  if (columns.length !== shape.columns.length) throw new BackupError(`the backup lacks columns of the table ${table}`);
  return shape;
}

/** Inserts the rows of one table, many in one statement. */
class Insert {
  readonly #client: ClientBase;
  readonly #sql: string;
  readonly #width: number;
  #rows: Row[] = [];
  #characters = 0;

  constructor(client: ClientBase, shape: TableShape, columns: readonly string[]) {
    this.#client = client;
    this.#width = columns.length;
    const types = columns.map((column) => shape.columns.find(({ name }) => name === column)?.type ?? 'text');
    const values = types.map((type, at) => `c${at}::${type}`);
    const texts = columns.map((_, at) => `$${at + 1}::text[]`);
    const names = columns.map((_, at) => `c${at}`);
    this.#sql = `insert into ${shape.sqlName} (${columns.map(escapeIdentifier).join(', ')}) overriding system value
      select ${values.join(', ')} from unnest(${texts.join(', ')}) as backup (${names.join(', ')})`;
  }

  async add(row: Row): Promise<void> {
    if (row.length !== this.#width)
      throw new BackupError('a row of the backup has another number of values than its table');
    this.#rows.push(row);
    for (const value of row) this.#characters += value?.length ?? 0;
    if (this.#rows.length >= MOST_ROWS || this.#characters >= MOST_CHARACTERS) await this.flush();
  }

  async flush(): Promise<void> {
    const rows = this.#rows;
    if (rows.length === 0) return;
    [this.#rows, this.#characters] = [[], 0];
    const columns = Array.from({ length: this.#width }, (_, at) => rows.map((row) => row[at] ?? null));
    await this.#client.query(this.#sql, columns);
  }
}
