import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';

import { openStore, tenants, type DatabaseLocation, type Store, type StoreError } from '../../src/store/index.ts';
import { openEmbedded } from '../../src/store/embedded.ts';
import { freshDatabase } from './database.ts';

const server = process.env['TREELINE_TEST_DATABASE_URL'];
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function database(): Promise<DatabaseLocation> {
  const { location, drop } = await freshDatabase();
  undo.push(drop);
  return location;
}

async function opened(location: DatabaseLocation): Promise<Store> {
  const store = await openStore({ database: location });
  undo.push(() => store.close());
  return store;
}

const tenant = (id: string): typeof tenants.$inferInsert => ({ id, name: id, createdAt: new Date() });
const refusal = (database: DatabaseLocation): Promise<StoreError> =>
  openStore({ database }).then(
    (store) => store.close().then(() => Promise.reject(new Error('it opened'))),
    (error: StoreError) => error,
  );

// Each test opens one or two databases or a process: this takes seconds, more on a busy machine.
describe.skipIf(server)('the embedded database', { timeout: 60_000 }, () => {
  it('has all committed rows after it was closed and opened again', async () => {
    const location = await database();
    const first = await opened(location);
    await first.asSystem((tx) => tx.insert(tenants).values(tenant('acme')));
    await first.close();
    const second = await opened(location);
    expect(await second.asSystem((tx) => tx.$count(tenants))).toBe(1);
  });

  it('can not be opened twice: the error names the directory and the process in one line', async () => {
    const location = await database();
    await opened(location);
    const error = await refusal(location);
    const directory = location.kind === 'embedded' ? location.directory : '';
    expect(error).toMatchObject({ code: 'IN_USE' });
    expect(error.message).toBe(`TREELINE_DATA_DIR: the directory ${directory} is in use by process ${process.pid}`);
  });

  it('has all committed rows after its process was killed, and can be opened again', async () => {
    const location = await database();
    const script = `
      const { openStore, tenants } = await import(process.argv[1]);
      const store = await openStore({ database: JSON.parse(process.argv[2]) });
      for (let n = 0; ; n++) {
        await store.asSystem((tx) => tx.insert(tenants).values({ id: 't' + n, name: '', createdAt: new Date() }));
        process.stdout.write(n + '\\n');
      }`;
    const index = new URL('../../src/store/index.ts', import.meta.url).href;
    const writer = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script, index, JSON.stringify(location)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    for await (const chunk of writer.stdout.setEncoding('utf8')) {
      output += chunk;
      if (output.includes('\n20\n')) writer.kill('SIGKILL');
    }
    if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
    const committed = output.trim().split('\n').length;
    const store = await opened(location);
    expect(await store.asSystem((tx) => tx.$count(tenants))).toBeGreaterThanOrEqual(committed);
  });

  it('fails with one line when its files can’t be read', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'treeline-test-'));
    undo.push(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, 'postgres'), 'no directory');
    const error = await refusal({ kind: 'embedded', directory });
    expect(error).toMatchObject({ code: 'CANNOT_OPEN' });
    expect(error.message).toContain(directory);
    expect(error.message).not.toContain('\n');
  });

  it('does not block the calling thread while a statement runs', async () => {
    const store = await opened(await database());
    let turns = 0;
    const turning = setInterval(() => turns++, 1);
    await store.asSystem(async (tx) => {
      await tx.execute('select count(*) from generate_series(1, 2000000)');
      clearInterval(turning);
    });
    expect(turns).toBeGreaterThan(20);
  });

  it('ends a session with its transaction and settings when the next one starts', async () => {
    const location = await database();
    if (location.kind !== 'embedded') throw new Error('this runs embedded');
    const embedded = await openEmbedded(location.directory, () => {});
    undo.push(() => embedded.close());
    const connect = async (): Promise<Client> => {
      const client = new Client({ stream: () => embedded.connect(), user: 'postgres', database: 'postgres' });
      client.on('error', () => {});
      await client.connect();
      return client;
    };
    const first = await connect();
    await first.query(`begin; insert into tenants values ('half', '', now()); set application_name = 'first'`);
    const second = await connect();
    const { rows } = await second.query(`select count(*), current_setting('application_name') as name from tenants`);
    expect(rows).toEqual([{ count: '0', name: '' }]);
    await second.end();
  });

  it('can be closed twice', async () => {
    const store = await opened(await database());
    await Promise.all([store.close(), store.close()]);
    await store.close();
  });
});

describe('Postgres', () => {
  it('fails with one line when it refuses connections: host and port, but no password', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const address = closed.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    closed.close();
    const error = await refusal({ kind: 'postgres', url: `postgres://ada:s3cret@127.0.0.1:${port}/treeline` });
    expect(error).toMatchObject({ code: 'UNREACHABLE' });
    expect(error.message).toBe(`can't reach Postgres at 127.0.0.1:${port} (database treeline): ECONNREFUSED`);
    expect(`${error.stack} ${String(error.cause)}`).not.toContain('s3cret');
  });

  it.runIf(server)('is migrated by three processes that start at the same time', async () => {
    const location = await database();
    const stores = await Promise.all([1, 2, 3].map(() => opened(location)));
    for (const store of stores) await store.asSystem((tx) => tx.$count(tenants));
  });

  it.runIf(server)('needs no superuser: an owner with CREATEROLE is enough', async () => {
    const location = await database();
    if (location.kind !== 'postgres') throw new Error('this runs on a server');
    const url = new URL(location.url);
    const owner = `owner_${url.pathname.slice(1)}`;
    const admin = new Client({ connectionString: location.url });
    await admin.connect();
    await admin.query(`create role ${owner} login createrole password 'pw'`);
    await admin.query(`alter database ${url.pathname.slice(1)} owner to ${owner}`);
    await admin.query(`grant treeline_connection to ${owner}`).catch(() => {});
    await admin.query(`grant create on schema public to ${owner}`);
    undo.push(async () => {
      await admin.query(`drop owned by ${owner} cascade`);
      await admin.query(`alter database ${url.pathname.slice(1)} owner to current_user`);
      await admin.query(`drop role ${owner}`);
      await admin.end();
    });
    url.username = owner;
    url.password = 'pw';
    const store = await opened({ ...location, url: url.href });
    await store.asSystem((tx) => tx.insert(tenants).values([tenant('acme'), tenant('umbrella')]));
    expect(await store.asTenant('acme', (tx) => tx.$count(tenants))).toBe(1);
  });
});
