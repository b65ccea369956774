import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  BackupError,
  openStore,
  restoreBackup,
  saveBackup,
  StoreError,
  verifyBackup,
  type DatabaseLocation,
} from '../../src/store/index.ts';
import { roleNames, SHARED_PREFIX } from '../../src/store/roles.ts';
import { rolesSql } from '../../src/store/row-security.ts';
import { asOwner, freshDatabase, migratedDatabase } from './database.ts';
import { contentOf, fillEveryTable, TABLES } from './every-table.ts';

const AT = new Date('2026-01-02T03:04:05.678Z');

let root: string;
let file: string;
let source: Awaited<ReturnType<typeof migratedDatabase>>;
let content: Map<string, unknown>;

function save(database: DatabaseLocation, to: string): ReturnType<typeof saveBackup> {
  return saveBackup({ database, version: '1.2.3', at: AT }, createWriteStream(to));
}

async function restore(database: DatabaseLocation, from: string): Promise<void> {
  await restoreBackup({ database, file: from, header: (await verifyBackup(from)).header });
}

/** An embedded database that does not exist yet. */
function emptyDatabase(name: string): DatabaseLocation {
  return { kind: 'embedded', directory: join(root, name) };
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'treeline-backup-'));
  file = join(root, 'backup');
  source = await migratedDatabase();
  content = await asOwner(source.location, async (client) => {
    await fillEveryTable(client);
    return contentOf(client);
  });
  await save(source.location, file);
});

afterAll(async () => {
  await source?.drop();
  await rm(root, { recursive: true, force: true });
});

describe('a backup', () => {
  it('brings the rows of every table and the state of every sequence into an empty database', async () => {
    const target = emptyDatabase('restored');
    await restore(target, file);
    expect([...content.keys()].filter((name) => !name.includes('.')).sort()).toEqual([...TABLES].sort());
    expect(await asOwner(target, contentOf)).toEqual(content);
    const again = join(root, 'again');
    await save(target, again);
    const [first, second] = [gunzipSync(await readFile(file)), gunzipSync(await readFile(again))];
    expect(second.toString()).toBe(first.toString());
    // The database works: row security is forced and the roles have their rights.
    const store = await openStore({ database: target });
    expect(await store.asTenant('none', async (tx) => (await tx.execute('select * from devices')).rows)).toEqual([]);
    await store.close();
    await expect(restore(target, file)).rejects.toThrow(/is not empty: it has the table api_keys/);
    // It opens the embedded database five times.
  }, 120_000);

  it('has a header with the versions, and the number of its rows', async () => {
    const { header, rows } = await verifyBackup(file);
    expect(header).toMatchObject({ version: '1.2.3', createdAt: AT.toISOString(), secretKey: null });
    expect(rows).toBe(2 * TABLES.length);
  });

  it('of a database that does not exist is refused and creates nothing', async () => {
    const nothing = save(emptyDatabase('nowhere'), join(root, 'nothing'));
    await expect(nothing).rejects.toThrow(/nowhere has no database/);
    await expect(save(emptyDatabase('nowhere'), join(root, 'nothing'))).rejects.toThrow(StoreError);
  });

  it('of the first version is restored and then migrated', async () => {
    const old = await freshDatabase();
    await asOwner(old.location, async (client) => {
      await client.query('drop schema public cascade; create schema public; drop schema if exists drizzle cascade');
      await client.query('grant usage on schema public to public');
      await client.query(rolesSql(roleNames(SHARED_PREFIX)));
      await client.query(await readFile('test/data/database-0000.sql', 'utf8'));
    });
    const saved = join(root, 'old');
    await save(old.location, saved);
    await old.drop();
    const target = emptyDatabase('old-restored');
    await restore(target, saved);
    const migrated = `select endpoint from devices join factory_credentials on factory_credentials.id = factory_credential_id`;
    const rows = await asOwner(target, async (client) => (await client.query(migrated)).rows);
    expect(rows).toEqual([{ endpoint: 'urn:batch:1' }]);
    expect([...(await asOwner(target, contentOf)).keys()]).toEqual([...content.keys()]);
  }, 120_000);
});

describe('a file', () => {
  let lines: string[];
  beforeAll(async () => {
    lines = gunzipSync(await readFile(file))
      .toString()
      .trimEnd()
      .split('\n');
  });

  /** The backup with other lines. */
  async function changed(change: (lines: string[]) => readonly string[]): Promise<string> {
    const name = join(root, 'changed');
    await writeFile(name, gzipSync(`${change([...lines]).join('\n')}\n`));
    return name;
  }

  it('that ends early is refused, wherever it ends', async () => {
    const bytes = await readFile(file);
    for (const length of [0, 1, 10, 200, bytes.length >> 1, bytes.length - 9, bytes.length - 1]) {
      await writeFile(join(root, 'short'), bytes.subarray(0, length));
      await expect(verifyBackup(join(root, 'short'))).rejects.toThrow(/it is (not complete|empty)/);
    }
    await expect(verifyBackup(await changed((all) => all.slice(0, -1)))).rejects.toThrow('it is not complete');
    await expect(verifyBackup(await changed((all) => all.slice(0, 1)))).rejects.toThrow('it is not complete');
  });

  it('that was changed is refused', async () => {
    const bytes = await readFile(file);
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(bytes.length >> 1) ^ 0x10, bytes.length >> 1);
    await writeFile(join(root, 'flipped'), flipped);
    await expect(verifyBackup(join(root, 'flipped'))).rejects.toThrow(/damaged|not complete/);
    for (const change of [
      (all: string[]) => all.map((line) => line.replace('tenants.name 0', 'tenants.name 9')),
      (all: string[]) => all.toSpliced(3, 1),
      (all: string[]) => all.toSpliced(3, 0, '{"an": "unknown line"}'),
      (all: string[]) => all.toSpliced(3, 0, 'no JSON'),
      (all: string[]) => [...all, '["after the end"]'],
    ]) {
      await expect(verifyBackup(await changed(change))).rejects.toThrow(BackupError);
    }
  });

  it('that is not a backup, or one of another format, is refused by its reason', async () => {
    await writeFile(join(root, 'text'), 'hello');
    await expect(verifyBackup(join(root, 'text'))).rejects.toThrow('not a backup of Treeline');
    await writeFile(join(root, 'gzip'), gzipSync('hello\n'));
    await expect(verifyBackup(join(root, 'gzip'))).rejects.toThrow('not a backup of Treeline');
    await expect(verifyBackup(root)).rejects.toThrow(`${root} is not a file`);
    await expect(verifyBackup(join(root, 'missing'))).rejects.toThrow('does not exist');
    const format = await changed(([first = '', ...rest]) => [first.replace('"format":1', '"format":2'), ...rest]);
    await expect(verifyBackup(format)).rejects.toThrow('its format is 2, and this version reads format 1');
  });

  it('of a newer or an unknown schema is refused', async () => {
    const { header } = await verifyBackup(file);
    const database = emptyDatabase('never');
    const newer = restoreBackup({ database, file, header: { ...header, schema: header.schema + 1, version: '9.9' } });
    await expect(newer).rejects.toThrow(/newer version of Treeline \(9\.9\)/);
    const unknown = restoreBackup({ database, file, header: { ...header, schema: 7 } });
    await expect(unknown).rejects.toThrow('does not know the schema of the backup (7)');
  });

  it('whose damage is found while it is restored leaves the database empty', async () => {
    const { header } = await verifyBackup(file);
    const database = emptyDatabase('interrupted');
    for (const change of [
      (all: string[]) => all.slice(0, -1),
      (all: string[]) => all.map((line) => line.replace('{"table":"leases"', '{"table":"hirings"')),
      (all: string[]) => all.map((line) => line.replace('"holder"', '"owner"')),
      (all: string[]) => all.map((line) => line.replace('"holder",', '')),
      (all: string[]) => all.map((line) => line.replace(/^\["leases.name 0/, '["surplus","leases.name 0')),
    ]) {
      const broken = restoreBackup({ database, file: await changed(change), header });
      await expect(broken).rejects.toThrow(/can't restore the backup: /);
    }
    expect([...(await asOwner(database, contentOf)).keys()]).toEqual([]);
    await restore(database, file);
    expect(await asOwner(database, contentOf)).toEqual(content);
  }, 120_000);
});
