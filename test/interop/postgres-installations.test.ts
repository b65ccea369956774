import { sql } from 'drizzle-orm';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { devices, openStore, profiles, tenants, type Store, type StoreError } from '../../src/store/index.ts';
import { requirePeer } from './peers/index.ts';
import { PostgresCluster } from './peers/postgres.ts';
import { POSTGRES_VERSIONS } from './peers/program.ts';

/** What an administrator runs for an installation whose user may not create roles (docs/operations.md). */
function rolesBy(administrator: string, prefix: string, version: string | null): string[] {
  const options = version === null ? '' : ' with inherit false, set true';
  return [
    `create role ${prefix}_app nologin noinherit`,
    `create role ${prefix}_system nologin noinherit`,
    `create role ${prefix}_connection nologin noinherit`,
    `grant ${prefix}_app, ${prefix}_system to ${prefix}_connection${options}`,
    `grant ${prefix}_connection to ${administrator}${options}`,
  ];
}

async function run(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}
/** A device of the tenant `acme`. */
async function fill(store: Store): Promise<void> {
  const at = new Date();
  await store.asSystem((tx) => tx.insert(tenants).values({ id: 'acme', name: 'Acme', createdAt: at }));
  await store.asTenant('acme', async (tx) => {
    const id = crypto.randomUUID();
    const profile = { id, tenantId: 'acme', name: 'p', isDefault: true, mappings: [], methods: [] };
    await tx.insert(profiles).values({ ...profile, createdAt: at, updatedAt: at });
    const device = { id: crypto.randomUUID(), tenantId: 'acme', endpoint: 'a', tags: [], profileId: id };
    await tx.insert(devices).values({ ...device, status: 'NEVER_SEEN', createdAt: at, updatedAt: at });
  });
}
const count = (store: Store): Promise<number> => store.asTenant('acme', (tx) => tx.$count(devices));
const rolesOf = async (store: Store): Promise<unknown> =>
  store.asSystem(async (tx) => (await tx.execute(sql`select current_user as name`)).rows[0]?.['name']);

describe.each([null, ...POSTGRES_VERSIONS])('PostgreSQL %s', (version) => {
  requirePeer('postgres')('an installation', () => {
    let cluster: PostgresCluster;
    const open: Store[] = [];
    beforeAll(async () => {
      cluster = await PostgresCluster.start(version);
    });
    afterAll(async () => {
      for (const store of open) await store.close();
      await cluster?.stop();
    });

    const asAdministrator = (...statements: string[]): Promise<Record<string, unknown>[]> =>
      run(cluster.url, ...statements);

    function urlOf(user: string, database = user, query = ''): string {
      const url = new URL(cluster.url);
      url.username = user;
      url.pathname = `/${database}`;
      url.search = query;
      return url.href;
    }

    async function started(url: string, options: { roles?: string; notices?: string[] } = {}): Promise<Store> {
      const store = await openStore({
        database: { kind: 'postgres', url, roles: options.roles ?? null },
        onNotice: (text) => options.notices?.push(text),
      });
      open.push(store);
      return store;
    }

    it('starts beside another on the server, and neither may read the rows of the other', async () => {
      for (const name of ['one', 'two']) {
        await asAdministrator(`create role ${name} login createrole`, `create database ${name} owner ${name}`);
        await fill(await started(urlOf(name)));
      }
      const [one, two] = open;
      if (!one || !two) throw new Error('both are open');
      expect([await rolesOf(one), await rolesOf(two)]).toEqual(['treeline_one_system', 'treeline_two_system']);
      expect([await count(one), await count(two)]).toEqual([1, 1]);
      for (const [user, other] of [
        ['one', 'two'],
        ['two', 'one'],
      ] as const) {
        const foreign = urlOf(user, other);
        for (const role of [`treeline_${other}_system`, `treeline_${other}_app`, `treeline_${other}_connection`]) {
          await expect(run(foreign, `set role ${role}`)).rejects.toThrow('permission denied');
        }
        await expect(run(foreign, 'select * from devices')).rejects.toThrow('permission denied');
        await expect(run(foreign, `set role treeline_${user}_system`, 'select * from devices')).rejects.toThrow(
          'permission denied',
        );
      }
    });

    it('whose user may not create roles ends with what an administrator has to run, and starts after that', async () => {
      await asAdministrator('create role plain login', 'create database plain owner plain');
      const error = await started(urlOf('plain')).then(
        () => Promise.reject(new Error('it started')),
        (refused: StoreError) => refused,
      );
      expect(error.code).toBe('CANNOT_OPEN');
      const wanted = rolesBy('plain', 'treeline_plain', version);
      expect(error.message).not.toContain('\n');
      const statements = /run "(.*)" as an administrator/.exec(error.message)?.[1] ?? '';
      for (const role of wanted.slice(0, 3)) expect(statements).toContain(role);
      await asAdministrator(...statements.split('; '));
      await fill(await started(urlOf('plain')));
      expect(await run(urlOf('plain'), 'select * from devices')).toEqual([]);
    });

    it('starts with the roles of the prefix that is set, which an administrator has created', async () => {
      await asAdministrator(
        'create role chosen login',
        'create database chosen owner chosen',
        ...rolesBy('chosen', 'meters', version),
      );
      const store = await started(urlOf('chosen'), { roles: 'meters' });
      await fill(store);
      expect(await rolesOf(store)).toBe('meters_system');
      expect(await count(store)).toBe(1);
    });

    it('keeps the roles of its policies, and moves to its own when they are set', async () => {
      // Two databases of the first versions, which shared their roles.
      await asAdministrator(
        'create role former login',
        'create role beside login',
        'create database former owner former',
        'create database beside owner beside',
        ...rolesBy('former', 'treeline', version),
        rolesBy('beside', 'treeline', version).at(-1) ?? '',
      );
      await fill(await started(urlOf('former'), { roles: 'treeline' }));
      await started(urlOf('beside'), { roles: 'treeline' });
      const notices: string[] = [];
      const store = await started(urlOf('former'), { notices });
      expect(await rolesOf(store)).toBe('treeline_system');
      expect(await count(store)).toBe(1);
      expect(notices).toEqual([expect.stringContaining('are also those of the database beside')]);
      expect(await run(urlOf('beside', 'former'), 'set role treeline_system', 'select * from devices')).toHaveLength(1);

      await asAdministrator(...rolesBy('former', 'treeline_former', version));
      const moved = await started(urlOf('former'), { roles: 'treeline_former' });
      expect(await rolesOf(moved)).toBe('treeline_former_system');
      expect(await count(moved)).toBe(1);
      await expect(run(urlOf('beside', 'former'), 'set role treeline_system', 'select * from devices')).rejects.toThrow(
        'permission denied',
      );
      // The setting is not needed any more.
      expect(await rolesOf(await started(urlOf('former')))).toBe('treeline_former_system');
    });

    it.each([
      ['the search path of the user', 'by_role', 'alter role by_role set search_path = fleet', '', 'fleet'],
      ['the options of the URL', 'by_options', '', 'options=-c%20search_path%3Dfleet', 'fleet'],
      ['the parameter schema of the URL', 'by_parameter', '', 'schema=fleet', 'fleet'],
      ['the name of the user', 'by_name', '', '', 'by_name'],
    ])('is in the schema of %s, twice', async (_, user, statement, query, schema) => {
      await asAdministrator(
        `create role ${user} login`,
        `create database ${user}`,
        ...rolesBy(user, `s_${user}`, version),
        ...(statement === '' ? [] : [statement]),
      );
      await run(
        urlOf('treeline', user),
        `create schema ${schema} authorization ${user}`,
        'revoke all on schema public from public',
      );
      for (const attempt of [1, 2]) {
        const store = await started(urlOf(user, user, query), { roles: `s_${user}` });
        if (attempt === 1) await fill(store);
        expect(await count(store)).toBe(1);
        await store.close();
      }
      const places = `select distinct table_schema from information_schema.tables where table_name in ('devices', '__drizzle_migrations')`;
      expect(await run(urlOf('treeline', user), places)).toEqual([{ table_schema: schema }]);
    });

    it('starts on a public schema without privileges for everybody', async () => {
      await asAdministrator('create role strict login createrole', 'create database strict owner strict');
      await run(
        urlOf('treeline', 'strict'),
        'revoke all on schema public from public',
        'alter schema public owner to strict',
      );
      const store = await started(urlOf('strict'));
      await fill(store);
      expect(await count(store)).toBe(1);
    });

    it('reads and writes dates whatever the role has set', async () => {
      await asAdministrator(
        'create role dates login createrole',
        'create database dates owner dates',
        `alter role dates set datestyle = 'SQL, DMY'`,
        `alter role dates set timezone = 'America/New_York'`,
        `alter role dates set extra_float_digits = -5`,
        `alter role dates set bytea_output = 'escape'`,
      );
      const store = await started(urlOf('dates'));
      const createdAt = new Date('2026-02-03T04:05:06.789Z');
      const [row] = await store.asSystem(async (tx) => {
        await tx.insert(tenants).values({ id: 'acme', name: 'Acme', createdAt });
        return tx.select().from(tenants);
      });
      expect(row?.createdAt).toEqual(createdAt);
      const raw = await store.asSystem(
        async (tx) =>
          (await tx.execute(sql`select 0.1::float8 + 0.2::float8 as number, '\\x00ff'::bytea as bytes`)).rows,
      );
      expect(raw).toEqual([{ number: 0.1 + 0.2, bytes: Buffer.from([0, 255]) }]);
    });
  });
});
