import { Client, Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { devices, openStore, profiles, tenants, type Store } from '../../src/store/index.ts';
import { requirePeer } from './peers/index.ts';
import { PostgresCluster } from './peers/postgres.ts';
import { POSTGRES_VERSIONS } from './peers/program.ts';

/** How the user that owns the database gets the two roles. */
const USERS = [
  { name: 'creator', attributes: 'createrole', roles: 'creates the roles' },
  { name: 'plain_owner', attributes: '', roles: 'was granted the roles by an administrator' },
] as const;

describe.each([null, ...POSTGRES_VERSIONS])('PostgreSQL %s', (version) => {
  requirePeer('postgres')('the user that owns the database', () => {
    let cluster: PostgresCluster;
    beforeAll(async () => {
      cluster = await PostgresCluster.start(version);
    });
    afterAll(() => cluster?.stop());

    async function asAdministrator(...statements: string[]): Promise<void> {
      const client = new Client({ connectionString: cluster.url });
      await client.connect();
      for (const statement of statements) await client.query(statement);
      await client.end();
    }

    describe.each(USERS)('$name, who $roles', ({ name, attributes }) => {
      let url: string;
      let store: Store;
      let pool: Pool;

      beforeAll(async () => {
        await asAdministrator(`create role ${name} login ${attributes}`, `create database ${name} owner ${name}`);
        if (attributes === '') {
          const roles = ['app', 'system', 'connection'].map((role) => `treeline_${name}_${role}`);
          const options = version === null ? '' : ' with inherit false, set true';
          for (const role of roles) await asAdministrator(`create role ${role} nologin noinherit`);
          await asAdministrator(
            `grant ${roles[0]}, ${roles[1]} to ${roles[2]}${options}`,
            `grant ${roles[2]} to ${name}${options}`,
          );
        }
        const location = new URL(cluster.url);
        location.username = name;
        location.pathname = `/${name}`;
        url = location.href;
        store = await openStore({ database: { kind: 'postgres', url } });
        const at = new Date();
        await store.asSystem((tx) => tx.insert(tenants).values({ id: 'acme', name: 'Acme', createdAt: at }));
        await store.asTenant('acme', async (tx) => {
          const id = crypto.randomUUID();
          const profile = { id, tenantId: 'acme', name: 'p', isDefault: true, mappings: [], methods: [] };
          await tx.insert(profiles).values({ ...profile, createdAt: at, updatedAt: at });
          const device = { id: crypto.randomUUID(), tenantId: 'acme', endpoint: 'a', tags: [], profileId: id };
          await tx.insert(devices).values({ ...device, status: 'NEVER_SEEN', createdAt: at, updatedAt: at });
        });
        pool = new Pool({ connectionString: url, max: 1 });
      });

      afterAll(async () => {
        await pool?.end();
        await store?.close();
      });

      it('finds the rows of a tenant in its transactions', async () => {
        expect(await store.asTenant('acme', (tx) => tx.select().from(devices))).toHaveLength(1);
        expect(await store.asTenant('globex', (tx) => tx.select().from(devices))).toEqual([]);
      });

      it('finds and writes nothing outside of the two roles, although the tenant is set', async () => {
        const client = await pool.connect();
        await client.query(`set app.tenant = 'acme'`);
        expect((await client.query('select * from devices')).rows).toEqual([]);
        expect((await client.query('delete from devices')).rowCount).toBe(0);
        await expect(
          client.query(`insert into tenants (id, name, created_at) values ('other', 'Other', now())`),
        ).rejects.toThrow('row-level security');
        client.release();
      });

      it('does not become the system role from the tenant role', async () => {
        const { rows } = await pool.query(
          `select pg_has_role('treeline_${name}_app', 'treeline_${name}_system', 'member') as member`,
        );
        expect(rows).toEqual([{ member: false }]);
      });

      it('starts again', async () => {
        await store.close();
        store = await openStore({ database: { kind: 'postgres', url } });
        expect(await store.asTenant('acme', (tx) => tx.select().from(devices))).toHaveLength(1);
      });
    });
  });
});
