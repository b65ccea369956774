import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { expect, it } from 'vitest';

import * as schema from '../../src/store/index.ts';
import { migrationsFolder, openStore } from '../../src/store/index.ts';
import { freshDatabase, ownerPool } from './database.ts';

/** The hash that Drizzle records of a migration is not compared; only its time is. */
interface Journal {
  readonly entries: readonly { readonly when: number; readonly tag: string }[];
}

const UUID = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const AT = '2026-01-02T03:04:05Z';

/** One row of every table as the first version wrote it, in the order of their references. */
const ROWS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  tenants: { id: 'acme', name: 'Acme', created_at: AT },
  settings: { key: 'admin_token_hash', value: '"abc"' },
  leases: { name: 'publisher', holder: UUID(1), until: AT },
  api_keys: { id: UUID(2), tenant_id: 'acme', name: 'key', role: 'admin', token_hash: 'abc', created_at: AT },
  profiles: {
    id: UUID(3),
    tenant_id: 'acme',
    name: 'p',
    is_default: true,
    mappings: '[]',
    methods: '[]',
    created_at: AT,
    updated_at: AT,
  },
  devices: {
    id: UUID(4),
    tenant_id: 'acme',
    endpoint: 'urn:a',
    tags: '{a}',
    profile_id: UUID(3),
    status: 'ONLINE',
    created_at: AT,
  },
  credentials: {
    id: UUID(5),
    tenant_id: 'acme',
    device_id: UUID(4),
    kind: 'psk',
    purpose: 'lwm2m',
    identity: 'urn:a',
    sealed_key: '\\x00',
    created_at: AT,
  },
  trust_anchors: {
    id: UUID(6),
    tenant_id: 'acme',
    name: 'ca',
    certificate: '\\x00',
    subject: 'CN=ca',
    fingerprint: 'ab',
    not_after: AT,
    created_at: AT,
  },
  revoked_certificates: { id: UUID(7), tenant_id: 'acme', fingerprint: 'cd', reason: 'lost', revoked_at: AT },
  factory_credentials: {
    id: UUID(8),
    tenant_id: 'acme',
    name: 'f',
    identity: 'f',
    sealed_key: '\\x00',
    endpoint_pattern: 'urn:*',
    profile_id: UUID(3),
    most_devices: 2,
    created_at: AT,
    expires_at: AT,
  },
  bootstraps: {
    id: UUID(9),
    tenant_id: 'acme',
    device_id: UUID(4),
    endpoint: 'urn:a',
    status: 'FINISHED',
    pack: false,
    address: '192.0.2.1:1',
    credential_id: UUID(8),
    steps: '[]',
    started_at: AT,
  },
  bootstrap_plans: { id: UUID(10), tenant_id: 'acme', device_id: UUID(4), sealed_plan: '\\x00', updated_at: AT },
  registrations: {
    device_id: UUID(4),
    tenant_id: 'acme',
    id: 'r1',
    lwm2m_version: '1.1',
    lifetime: 300,
    binding: 'U',
    queue_mode: false,
    profile_ids: '{}',
    root_path: '/',
    content_formats: '{112}',
    objects: '[{"objectId":3,"version":null,"instanceIds":[0]},{"objectId":3303,"version":null,"instanceIds":[0,1]}]',
    object_ids: '{3}',
    additional: '{}',
    peer: '{}',
    transport: 'udp',
    registered_at: AT,
    updated_at: AT,
  },
  registration_profiles: { tenant_id: 'acme', profile_id: '6:1', links: '</1/0>', updated_at: AT },
  object_definitions: {
    tenant_id: 'acme',
    object_id: 33_000,
    version: '1.0',
    definition: '{}',
    size: 2,
    uploaded_at: AT,
  },
  observations: {
    device_id: UUID(4),
    token: 'ab',
    tenant_id: 'acme',
    registration_id: 'r1',
    paths: '["/3/0"]',
    composite: false,
    started_at: AT,
  },
  observation_requests: { device_id: UUID(4), key: '/3/0', tenant_id: 'acme', paths: '{/3/0}', created_at: AT },
  resource_values: {
    device_id: UUID(4),
    object_id: 3,
    instance_id: 0,
    resource_id: 0,
    resource_instance_id: -1,
    tenant_id: 'acme',
    type: 'STRING',
    guessed: false,
    value: '"x"',
    measured_at: AT,
    source: 'READ',
  },
  rpcs: {
    id: UUID(11),
    tenant_id: 'acme',
    device_id: UUID(4),
    method: 'reboot',
    mode: 'TWO_WAY',
    status: 'SUCCESSFUL',
    attempts: 1,
    timeout_ms: 1000,
    created_by: 'admin-token',
    created_at: AT,
  },
  rpc_transitions: { rpc_id: UUID(11), ordinal: 0, tenant_id: 'acme', to_status: 'QUEUED', at: AT },
  handshakes: {
    tenant_id: 'acme',
    device_id: UUID(4),
    credential_id: UUID(5),
    at: AT,
    duration_ms: 1,
    address: '192.0.2.1:1',
    resumed: false,
    established: true,
  },
  telemetry_points: {
    event_id: UUID(12),
    tenant_id: 'acme',
    device_id: UUID(4),
    timestamp: AT,
    numeric_values: '{"t":1}',
    string_values: '{}',
    received_at: AT,
  },
  dead_letters: {
    tenant_id: 'acme',
    device_id: UUID(4),
    path: '/3/0/0',
    kind: 'reading',
    reason: 'r',
    bytes: '\\x00',
    received_at: AT,
  },
  outbox: { event_id: UUID(13), tenant_id: 'acme', device_id: UUID(4), kind: 'telemetry', event: '{}', created_at: AT },
};

it('starts on the database of the first version and keeps the rows of every table', async () => {
  const { location, drop } = await freshDatabase();
  const owner = await ownerPool(location);
  try {
    const folder = migrationsFolder();
    const { entries } = JSON.parse(await readFile(join(folder, 'meta/_journal.json'), 'utf8')) as Journal;
    const [first] = entries;
    // An embedded database of the tests is migrated already: this makes it that of the first version.
    await owner.pool.query('drop schema public cascade; create schema public; grant usage on schema public to public');
    await owner.pool.query('drop schema if exists drizzle cascade; create schema drizzle');
    await owner.pool.query(
      'create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)',
    );
    const roles = `do $$ begin create role treeline_app; exception when duplicate_object then null; end $$;
      do $$ begin create role treeline_system; exception when duplicate_object then null; end $$`;
    await owner.pool.query(roles);
    await owner.pool.query(await readFile(join(folder, `${first?.tag}.sql`), 'utf8'));
    await owner.pool.query('insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)', [
      'first',
      first?.when,
    ]);
    for (const [table, row] of Object.entries(ROWS)) {
      const columns = Object.keys(row);
      const values = columns.map((_, at) => `$${at + 1}`);
      await owner.pool.query(
        `insert into "${table}" (${columns.map((column) => `"${column}"`).join()}) values (${values.join()})`,
        Object.values(row),
      );
      await owner.pool.query(`alter table "${table}" force row level security`);
    }
    const rowsOf = async (table: string): Promise<Record<string, unknown>[]> =>
      (await owner.pool.query(`select * from "${table}"`)).rows;
    const before = new Map<string, Record<string, unknown>[]>();
    for (const table of Object.keys(ROWS)) before.set(table, await rowsOf(table));
    await owner.close();

    await (await openStore({ database: location })).close();

    const after = await ownerPool(location);
    try {
      for (const [table, rows] of before) {
        const now = (await after.pool.query(`select * from "${table}"`)).rows as Record<string, unknown>[];
        expect([table, now]).toEqual([table, rows.map((row) => expect.objectContaining(row))]);
      }
      const { rows } = await after.pool.query('select factory_credential_id from devices');
      expect(rows).toEqual([{ factory_credential_id: UUID(8) }]);
      expect((await after.pool.query('select * from largest_trees')).rows).toEqual([
        { tenant_id: 'acme', objects: 1, instances: 1, resources: 1, registered_objects: 2, registered_instances: 3 },
      ]);
      const open = `select relname from pg_class
                     where relrowsecurity and not relforcerowsecurity and relnamespace = 'public'::regnamespace`;
      expect((await after.pool.query(open)).rows).toEqual([]);
    } finally {
      await after.close();
    }
    const known = Object.values(schema).flatMap((one: unknown) => (is(one, PgTable) ? [getTableName(one)] : []));
    expect(Object.keys(ROWS).every((table) => known.includes(table))).toBe(true);
  } finally {
    await drop();
  }
  // It opens the embedded database four times.
}, 180_000);
