import type { ClientBase } from 'pg';
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Client, Pool } from 'pg';
import { afterAll, beforeAll } from 'vitest';

import { openEmbedded } from '../../src/store/embedded.ts';
import { SHARED_PREFIX } from '../../src/store/roles.ts';
import { migrationsFolder, openStore, type DatabaseLocation, type Store } from '../../src/store/index.ts';

/**
 * Creates and migrates a database before the first test of a suite and deletes it after the last. It is on the server
 * of TREELINE_TEST_DATABASE_URL when that is set, else embedded. Use `const store = useStore();`, and `store()` in
 * tests.
 */
export function useStore(options: { poolSize?: number } = {}): () => Store {
  let opened: { store: Store; drop: () => Promise<void> } | undefined;
  beforeAll(async () => {
    const { location, drop } = await freshDatabase();
    opened = { store: await openStore({ database: location, ...options }), drop };
  });
  afterAll(async () => {
    await opened?.store.close();
    await opened?.drop();
  });
  return () => {
    if (!opened) throw new Error('the database is not open before the first test');
    return opened.store;
  };
}

/** A new database, for tests that open and close it themselves. */
export async function freshDatabase(): Promise<{ location: DatabaseLocation; drop: () => Promise<void> }> {
  const server = process.env['TREELINE_TEST_DATABASE_URL'];
  return server ? postgresDatabase(server) : embeddedDatabase();
}

/** As `freshDatabase`, with all migrations applied. */
export async function migratedDatabase(): Promise<{ location: DatabaseLocation; drop: () => Promise<void> }> {
  const fresh = await freshDatabase();
  const store = await openStore({ database: fresh.location });
  await store.close();
  return fresh;
}

/** One connection as the owner of the database, for statements that a store refuses. Close every store of it first. */
export async function ownerPool(location: DatabaseLocation): Promise<{ pool: Pool; close: () => Promise<void> }> {
  if (location.kind === 'postgres') {
    const pool = new Pool({ connectionString: location.url, max: 1 });
    return { pool, close: () => pool.end() };
  }
  const embedded = await openEmbedded(location.directory, () => {});
  const pool = new Pool({
    stream: () => embedded.connect(),
    user: 'postgres',
    database: 'postgres',
    max: 1,
    idleTimeoutMillis: 0,
  });
  return { pool, close: () => pool.end().then(() => embedded.close()) };
}

async function postgresDatabase(server: string): Promise<{ location: DatabaseLocation; drop: () => Promise<void> }> {
  const name = `treeline_test_${randomUUID().replaceAll('-', '')}`;
  const onServer = async (statement: string): Promise<void> => {
    const client = new Client({ connectionString: server });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  await onServer(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  // The databases of the tests share their roles, which would remain after each test.
  return {
    location: { kind: 'postgres', url: url.href, roles: SHARED_PREFIX },
    drop: () => onServer(`drop database ${name} with (force)`),
  };
}

async function embeddedDatabase(): Promise<{ location: DatabaseLocation; drop: () => Promise<void> }> {
  const directory = await mkdtemp(join(await quickestRoot(), 'treeline-test-'));
  // There are a thousand small files: cp(1) takes a third of the time of fs.cp.
  await promisify(execFile)('cp', ['-R', `${await template()}/.`, directory]);
  return { location: { kind: 'embedded', directory }, drop: () => rm(directory, { recursive: true, force: true }) };
}

/**
 * An initialized and migrated data directory, created once per state of the migrations: a copy takes a tenth of the
 * time of creating one. Several processes may create it at the same time; the first to finish renames its directory.
 */
async function template(): Promise<string> {
  const directory = join(tmpdir(), `treeline-template-${await stateOfMigrations()}`);
  if (await exists(directory)) return directory;
  const making = await mkdtemp(`${directory}-`);
  const store = await openStore({ database: { kind: 'embedded', directory: making } });
  await store.close();
  await rename(making, directory).catch(() => rm(making, { recursive: true, force: true }));
  return directory;
}

async function stateOfMigrations(): Promise<string> {
  const hash = createHash('sha256').update(await readFile('package-lock.json'));
  const folder = migrationsFolder();
  for (const name of (await readdir(folder)).sort()) {
    if (name.endsWith('.sql')) hash.update(await readFile(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** A copy in memory takes 0.1 s, on a disk up to a second. The /dev/shm of a container may have only 64 MB. */
async function quickestRoot(): Promise<string> {
  const memory = await statfs('/dev/shm').catch(() => null);
  return memory && memory.bavail * memory.bsize > 1024 ** 3 ? '/dev/shm' : tmpdir();
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Runs statements as the owner; a superuser sees all rows. */
export async function asOwner<T>(location: DatabaseLocation, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const { pool, close } = await ownerPool(location);
  const client = await pool.connect();
  try {
    await client.query(`set timezone = 'UTC'`);
    return await work(client);
  } finally {
    client.release();
    await close();
  }
}
