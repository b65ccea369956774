import { getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import type { ClientBase } from 'pg';

import { tablesOf } from '../../src/store/backup/catalog.ts';
import * as schema from '../../src/store/index.ts';

/** The tables of the product. */
export const TABLES: readonly string[] = Object.values(schema).flatMap((one: unknown) =>
  is(one, PgTable) ? [getTableName(one)] : [],
);

type Value = string | null;

/** Rows of a table: one with a value in each column, one with null where that is possible. */
const ROWS = [0, 1] as const;

/** Columns that a check of their table requires to be null, or not to be, by row. */
const EXCEPTIONS: Readonly<Record<string, readonly ('null' | 'value' | undefined)[]>> = {
  'bootstrap_plans.device_id': ['null', 'value'],
};

/** Texts that a careless format would change. */
const HARD = `"quotes" 'and' \\back\\slash\\\n\t,{}[] \u00fc \u{1f600} \\N NULL`;
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, at) => at)).toString('hex');

/**
 * Inserts two rows into each table of the schema, generated from the catalog, so that a new table is not forgotten. A
 * column of a new type or a new check needs an entry here.
 */
export async function fillEveryTable(client: ClientBase, place = 'public'): Promise<void> {
  const references = await client.query<{ from: string; to: string; columns: string[]; keys: string[] }>(
    `select conrelid::regclass::text as from, confrelid::regclass::text as to,
            array(select attname::text from unnest(conkey) with ordinality as k (n, o)
                    join pg_attribute on attrelid = conrelid and attnum = n order by o) as columns,
            array(select attname::text from unnest(confkey) with ordinality as k (n, o)
                    join pg_attribute on attrelid = confrelid and attnum = n order by o) as keys
       from pg_constraint where contype = 'f' and connamespace = $1::regnamespace`,
    [place],
  );
  const nullable = await client.query<{ name: string }>(
    `select table_name || '.' || column_name as name from information_schema.columns
      where table_schema = $1 and is_nullable = 'YES'`,
    [place],
  );
  const mayBeNull = new Set(nullable.rows.map(({ name }) => name));
  const inserted = new Map<string, Readonly<Record<string, Value>>[]>();
  for (const { name: table, sqlName, columns, identities } of await tablesOf(client, place)) {
    const rows = ROWS.map((row) => {
      const values: Record<string, Value> = {};
      for (const { name, type } of columns) {
        if (!identities.includes(name)) values[name] = valueOf(type, `${table}.${name}`, row);
      }
      for (const { from, to, columns: own, keys } of references.rows) {
        if (unqualified(from) !== table) continue;
        own.forEach((column, at) => {
          values[column] = inserted.get(unqualified(to))?.[row]?.[keys[at] ?? ''] ?? null;
        });
      }
      for (const column of Object.keys(values)) {
        const full = `${table}.${column}`;
        const wanted = EXCEPTIONS[full]?.[row] ?? (row === 1 && mayBeNull.has(full) ? 'null' : 'value');
        if (wanted === 'null') values[column] = null;
      }
      return values;
    });
    for (const row of rows) {
      const names = Object.keys(row);
      await client.query(
        `insert into ${sqlName} (${names.map((name) => `"${name}"`).join()})
         values (${names.map((_, at) => `$${at + 1}`).join()})`,
        Object.values(row),
      );
    }
    inserted.set(table, rows);
  }
}

/** Everything that the schema has: the rows of each table, and where its identity columns go on. */
export async function contentOf(client: ClientBase, place = 'public'): Promise<Map<string, unknown>> {
  const content = new Map<string, unknown>();
  for (const { name, sqlName, columns, identities } of await tablesOf(client, place)) {
    const texts = columns.map((column) => `"${column.name}"::text`).join();
    const { rows } = await client.query({ text: `select ${texts} from ${sqlName}`, rowMode: 'array' });
    content.set(name, { columns, rows: rows.map((row) => JSON.stringify(row)).sort() });
    for (const column of identities) {
      const found = await client.query('select pg_get_serial_sequence($1, $2) as name', [sqlName, column]);
      const state = await client.query(`select last_value::text, is_called from ${found.rows[0].name}`);
      content.set(`${name}.${column}`, state.rows);
    }
  }
  return content;
}

function unqualified(relation: string): string {
  return relation.slice(relation.lastIndexOf('.') + 1).replaceAll('"', '');
}

function valueOf(type: string, column: string, row: number): string {
  const kind = type.replace(/\(\d+\)/, '');
  switch (kind) {
    case 'uuid':
      return `${Buffer.from(column).toString('hex').slice(-8).padStart(8, '0')}-0000-4000-8000-${String(row).padStart(12, '0')}`;
    case 'text':
      return `${column} ${row} ${HARD}`;
    case 'text[]':
      return `{"a,b","NULL",NULL,"","q\\"u\\\\ote","${row}"}`;
    case 'json':
    case 'jsonb':
      return `{"b":  [1.50, 12345678901234567890.5, null],\n "a": "\\u00fc \\"\\\\${row}"}`;
    case 'bytea':
      return `\\x${row}0${BYTES}`;
    case 'boolean':
      return row === 0 ? 'true' : 'false';
    case 'integer':
      return row === 0 ? '-2147483648' : '2147483647';
    case 'integer[]':
      return '{1,-2,NULL}';
    case 'bigint':
      return row === 0 ? '9007199254740993' : '-9223372036854775808';
    case 'timestamp with time zone':
      return row === 0 ? '2026-01-02 03:04:05.678+00' : '1969-12-31 23:59:59.999+00';
    default:
      throw new Error(`no value of type ${type} for ${column}: add one to test/store/every-table.ts`);
  }
}
