import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { Client } from 'pg';

import { embeddedConnection, openEmbedded } from './embedded.ts';
import { StoreError } from './error.ts';
import { connectPostgres } from './postgres.ts';

export type DatabaseLocation =
  | { readonly kind: 'embedded'; readonly directory: string }
  | {
      readonly kind: 'postgres';
      /** As `parsePostgresUrl` reads it. */
      readonly url: string;
      /** The prefix of the role names; absent or null: that of the database, a new one for a new database. */
      readonly roles?: string | null;
    };

/** One connection with the rights of the user that owns the tables. */
export interface OwnerConnection {
  readonly client: Client;
  readonly embedded: boolean;
  /** The schema that the URL names; null: the first of the search path. */
  readonly schema: string | null;
  /** Closes the connection, and the embedded database. */
  close(): Promise<void>;
}

const LONGEST_STATEMENT_MS = 3_600_000;

/**
 * Connects for a task of its own, such as a backup, without migrating. `create`: whether a missing embedded database is
 * created. Throws StoreError: UNREACHABLE, BUSY, IN_USE or CANNOT_OPEN.
 */
export async function connectOwner(
  database: DatabaseLocation,
  { create }: { readonly create: boolean },
): Promise<OwnerConnection> {
  if (database.kind === 'postgres') {
    const { client, route } = await connectPostgres(database.url, LONGEST_STATEMENT_MS);
    return { client, embedded: false, schema: route.url.schema, close: () => client.end().catch(() => {}) };
  }
  const { directory } = database;
  if (!create && !existsSync(join(directory, 'postgres', 'PG_VERSION'))) {
    throw new StoreError('CANNOT_OPEN', `${directory} has no database`);
  }
  const opened = await openEmbedded(directory, () => {});
  const client = new Client(embeddedConnection(opened));
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    await opened.close();
    throw error;
  }
  return {
    client,
    embedded: true,
    schema: null,
    close: () =>
      client
        .end()
        .catch(() => {})
        .then(() => opened.close()),
  };
}
