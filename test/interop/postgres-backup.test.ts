import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { sql } from 'drizzle-orm';
import { Client, type ClientBase } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  openStore,
  restoreBackup,
  saveBackup,
  settings,
  tenants,
  verifyBackup,
  type DatabaseLocation,
} from '../../src/store/index.ts';
import { migratedDatabase, asOwner } from '../store/database.ts';
import { contentOf, fillEveryTable } from '../store/every-table.ts';
import { PostgresCluster, requirePeer } from './peers/index.ts';
import { POSTGRES_VERSIONS } from './peers/program.ts';

/** The user of a managed Postgres: it owns the database, is no superuser, and inherits nothing. */
const USER = 'owner_noinherit';

let root: string;
/** The backup of an embedded database with rows in every table, and what that database had. */
let fromEmbedded: string;
let content: Map<string, unknown>;

async function save(from: DatabaseLocation, name: string): Promise<string> {
  const file = join(root, name);
  await saveBackup({ database: from, version: '1.2.3', at: new Date() }, createWriteStream(file));
  return file;
}

async function restore(to: DatabaseLocation, file: string): Promise<void> {
  await restoreBackup({ database: to, file, header: (await verifyBackup(file)).header });
}

/** The lines of a backup without its first and last, which differ. */
async function linesOf(file: string): Promise<string[]> {
  return gunzipSync(await readFile(file))
    .toString()
    .split('\n')
    .slice(1, -2);
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'treeline-backup-'));
  const embedded = await migratedDatabase();
  content = await asOwner(embedded.location, async (client) => {
    await fillEveryTable(client);
    return contentOf(client);
  });
  fromEmbedded = await save(embedded.location, 'from-embedded');
  await embedded.drop();
});

afterAll(() => rm(root, { recursive: true, force: true }));

describe.each([null, ...POSTGRES_VERSIONS])('PostgreSQL %s', (version) => {
  requirePeer('postgres')('backup and restore', () => {
    let cluster: PostgresCluster;

    beforeAll(async () => {
      cluster = await PostgresCluster.start(version);
      await asSuperuser('/postgres', (client) => client.query(`create role ${USER} login noinherit createrole`));
    });

    afterAll(() => cluster?.stop());

    async function asSuperuser<T>(path: string, work: (client: ClientBase) => Promise<T>): Promise<T> {
      const url = new URL(cluster.url);
      url.pathname = path;
      const client = new Client({ connectionString: url.href });
      await client.connect();
      await client.query(`set timezone = 'UTC'`);
      return work(client).finally(() => client.end());
    }

    /** A new database of the user; its settings would change how values are written. */
    async function database(name: string): Promise<DatabaseLocation> {
      await asSuperuser('/postgres', async (client) => {
        await client.query(`create database ${name} owner ${USER}`);
        await client.query(`alter role ${USER} in database ${name} set datestyle = 'SQL, DMY'`);
        await client.query(`alter role ${USER} in database ${name} set timezone = 'Asia/Kolkata'`);
        await client.query(`alter role ${USER} in database ${name} set bytea_output = 'escape'`);
      });
      // In Postgres 15, an owner without inheritance has no rights on `public`, which belongs to pg_database_owner.
      await asSuperuser(`/${name}`, (client) => client.query(`grant all on schema public to ${USER}`));
      const url = new URL(cluster.url);
      url.username = USER;
      url.pathname = `/${name}`;
      return { kind: 'postgres', url: url.href };
    }

    it('carry every table from the embedded database to Postgres and back, as a user without inheritance', async () => {
      const postgres = await database('carried');
      await restore(postgres, fromEmbedded);
      expect(await asSuperuser('/carried', contentOf)).toEqual(content);
      const fromPostgres = await save(postgres, `from-postgres-${version}`);
      expect(await linesOf(fromPostgres)).toEqual(await linesOf(fromEmbedded));
      await expect(restore(postgres, fromEmbedded)).rejects.toThrow(
        'the database is not empty: the schema public has the table api_keys',
      );
      if (version !== null) return;
      const back: DatabaseLocation = { kind: 'embedded', directory: join(root, 'back') };
      await restore(back, fromPostgres);
      expect(await asOwner(back, contentOf)).toEqual(content);
    });

    it('save one moment of a database that is in use, and a store opens the restored one', async () => {
      const used = await database('used');
      const store = await openStore({ database: used });
      const add = (key: string): Promise<unknown> =>
        store.asSystem((tx) => tx.insert(settings).values({ key, value: key }));
      await add('before');
      // More than the buffers between the database and the file hold, in the first table.
      const many = sql`insert into tenants (id, name, created_at)
        select 'tenant-' || n, md5(random()::text) || md5(random()::text) || md5(random()::text), now()
          from generate_series(1, 20000) as n`;
      await store.asSystem((tx) => tx.execute(many));
      const output = new PassThrough();
      const saving = saveBackup({ database: used, version: '1.2.3', at: new Date() }, output);
      const chunks: Buffer[] = [];
      for await (const chunk of output as AsyncIterable<Buffer>) {
        if (chunks.push(chunk) === 1) await add('during');
      }
      await saving;
      await store.close();
      const file = join(root, 'used');
      await writeFile(file, Buffer.concat(chunks));
      const restored = await database('restored');
      await restore(restored, file);
      const again = await openStore({ database: restored });
      expect(await again.asSystem((tx) => tx.select({ key: settings.key }).from(settings))).toEqual([
        { key: 'before' },
      ]);
      expect(await again.asSystem((tx) => tx.$count(tenants))).toBe(20_000);
      expect(await again.asTenant('tenant-1', (tx) => tx.select({ id: tenants.id }).from(tenants))).toHaveLength(1);
      await again.close();
    });
  });
});
