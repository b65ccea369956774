import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { roleNames, SHARED_PREFIX } from '../../src/store/roles.ts';
import { rolesSql } from '../../src/store/row-security.ts';
import { ownerPool } from '../store/database.ts';
import { runDevice } from './device-process.ts';
import { freshInstallation, runTreeline, until, type Installation, type TreelineProcess } from './treeline-process.ts';

const SECRET_KEY = 'ab'.repeat(32);
const ADMIN_TOKEN = 'version-0-admin-token';
const FACTORY_KEY = ['--psk-identity', 'batch', '--psk-key', '000102030405060708090a0b0c0d0e0f'];

let installation: Installation;
let treeline: TreelineProcess;

/** Replaces the database's content by the dump of the previous version. */
async function load(): Promise<void> {
  const { pool, close } = await ownerPool(installation.location);
  await pool.query('drop schema public cascade; create schema public; drop schema if exists drizzle cascade');
  await pool.query(rolesSql(roleNames(SHARED_PREFIX)));
  await pool.query(await readFile('test/data/database-0000.sql', 'utf8'));
  await close();
}

beforeAll(async () => {
  installation = await freshInstallation();
  await load();
  treeline = await start();
});

afterAll(async () => {
  await treeline?.stop();
  await installation?.drop();
});

function start(): Promise<TreelineProcess> {
  return runTreeline({
    ...installation.settings,
    TREELINE_SECRET_KEY: SECRET_KEY,
    TREELINE_ADMIN_TOKEN: ADMIN_TOKEN,
    TREELINE_TELEMETRY_RETENTION_DAYS: '3650',
  });
}

it('starts on a database of the previous version and keeps its devices, credentials, calls and telemetry', async () => {
  // Registrations are not compared: those of the dump have expired.
  const { devices, apiKeys, factoryCredentials } = await treeline.query<Record<string, unknown>>(`{
    devices(first: 10, orderBy: { field: CREATED_AT, direction: ASC }) { nodes {
      endpoint name tags
      credentials { kind revokedAt }
      rpcs(first: 10) { nodes { method status idempotencyKey } }
      telemetry(first: 1) { nodes { timestamp } }
      resources(paths: ["/3/0/0"]) { path value }
    } }
    apiKeys { name role }
    factoryCredentials { identity mostDevices }
  }`);
  const call = { status: 'SUCCESSFUL', idempotencyKey: null };
  expect(devices).toEqual({
    nodes: [
      {
        endpoint: 'urn:imei:1',
        name: null,
        tags: [],
        credentials: [],
        rpcs: {
          nodes: [
            { ...call, method: 'observe' },
            { ...call, method: 'read', idempotencyKey: 'key-1' },
            { ...call, method: 'read' },
          ],
        },
        telemetry: { nodes: [{ timestamp: '2026-11-28T06:58:14.642Z' }] },
        resources: [{ path: '/3/0/0', value: 'Treeline' }],
      },
      {
        endpoint: 'urn:imei:2',
        name: 'Meter two',
        tags: ['a', 'b'],
        credentials: [{ kind: 'PSK', revokedAt: null }],
        rpcs: { nodes: [] },
        telemetry: { nodes: [] },
        resources: [],
      },
      {
        endpoint: 'urn:batch:1',
        name: null,
        tags: [],
        credentials: [{ kind: 'PSK', revokedAt: null }],
        rpcs: { nodes: [] },
        telemetry: { nodes: [{ timestamp: '2026-11-28T06:58:14.056Z' }] },
        resources: [],
      },
    ],
  });
  expect(apiKeys).toEqual([{ name: 'viewer', role: 'VIEWER' }]);
  expect(factoryCredentials).toEqual([{ identity: 'batch', mostDevices: 5 }]);
});

it('counts the device that a factory credential created before', async () => {
  const { pool, close } = await stopped();
  const { rows } = await pool.query(
    `select endpoint from devices join factory_credentials on factory_credentials.id = factory_credential_id`,
  );
  await close();
  expect(rows).toEqual([{ endpoint: 'urn:batch:1' }]);
  treeline = await start();
});

it('bootstraps a device with the factory key and the plan that the previous version sealed', async () => {
  const changes = treeline.webSocket<{ bootstrapChanged: { status: string; endpoint: string } }>(
    'subscription { bootstrapChanged { status endpoint } }',
  );
  const bootstrap = /Bootstrap\s+coap:\S+ (coaps:\S+)/.exec(treeline.output())?.[1] ?? '';
  const finished = until(changes, ({ bootstrapChanged: { status } }) => status === 'FINISHED');
  const server = new URL(bootstrap.replace('coaps:', 'http:'));
  const device = runDevice(
    { scheme: 'coaps', host: server.hostname, port: Number(server.port) },
    'urn:batch:1',
    '--bootstrap',
    bootstrap,
    ...FACTORY_KEY,
  );
  expect(await finished).toMatchObject({ bootstrapChanged: { endpoint: 'urn:batch:1' } });
  await device.stop();
});

/** Stops the server and opens its database. */
async function stopped(): ReturnType<typeof ownerPool> {
  await treeline.stop();
  return ownerPool(installation.location);
}
