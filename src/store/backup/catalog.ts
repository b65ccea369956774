import { escapeIdentifier, type ClientBase } from 'pg';

import { MIGRATIONS_TABLE } from '../row-security.ts';

export interface TableShape {
  readonly name: string;
  /** `"schema"."name"` */
  readonly sqlName: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** The identity columns. */
  readonly identities: readonly string[];
}

/** Tables of the schema, without those of extensions and the one of migrations. */
const OWN_TABLES = `
  select class.oid, class.relname from pg_class class join pg_namespace on pg_namespace.oid = class.relnamespace
   where nspname = $1 and class.relkind in ('r', 'p') and class.relname <> '${MIGRATIONS_TABLE}'
     and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = class.oid and deptype = 'e')`;

/** The names of all tables in the schema. */
export async function tableNames(client: ClientBase, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ relname: string }>(`${OWN_TABLES} order by relname`, [schema]);
  return rows.map(({ relname }) => relname);
}

/** The tables of the schema as they are now; each comes after the tables that its foreign keys refer to. */
export async function tablesOf(client: ClientBase, schema: string): Promise<TableShape[]> {
  const columns = await client.query<{ table: string; name: string; type: string; identity: string }>(
    `with own as (${OWN_TABLES})
     select relname as table, attname as name, format_type(atttypid, atttypmod) as type, attidentity as identity
       from own join pg_attribute on attrelid = own.oid
      where attnum > 0 and not attisdropped and attgenerated = '' order by relname, attnum`,
    [schema],
  );
  const references = await client.query<{ table: string; referenced: string }>(
    `with own as (${OWN_TABLES})
     select own.relname as table, referenced.relname as referenced
       from own join pg_constraint on conrelid = own.oid and contype = 'f'
       join pg_class referenced on referenced.oid = confrelid
      where referenced.oid <> own.oid`,
    [schema],
  );
  const shapes = new Map<string, TableShape>();
  for (const name of new Set(columns.rows.map(({ table }) => table))) {
    const own = columns.rows.filter(({ table }) => table === name);
    shapes.set(name, {
      name,
      sqlName: `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`,
      columns: own.map((column) => ({ name: column.name, type: column.type })),
      identities: own.filter(({ identity }) => identity !== '').map((column) => column.name),
    });
  }
  const ordered = new Set<TableShape>();
  const visit = (name: string, path: readonly string[]): void => {
    const shape = shapes.get(name);
    if (shape === undefined || ordered.has(shape) || path.includes(name)) return;
    for (const { table, referenced } of references.rows) if (table === name) visit(referenced, [...path, name]);
    ordered.add(shape);
  };
  for (const name of shapes.keys()) visit(name, []);
  return [...ordered];
}
