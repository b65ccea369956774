import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { roleNames, SHARED_PREFIX } from '../../src/store/roles.ts';
import { rolesSql } from '../../src/store/row-security.ts';
import { ownerPool } from '../store/database.ts';
import {
  ADMIN_TOKEN,
  freshInstallation,
  runTreeline,
  type Installation,
  type TreelineProcess,
} from './treeline-process.ts';

/** The key of the dump. */
const SECRET_KEY = 'ab'.repeat(32);
const TIMEOUT = 400_000;
const EVERYTHING = `{
  devices(first: 10, orderBy: { field: CREATED_AT, direction: ASC }) { nodes {
    id endpoint name tags profile { name }
    credentials { id kind revokedAt }
    rpcs(first: 10) { nodes { id method status idempotencyKey } }
    telemetry(first: 10) { nodes { timestamp numericValues } }
    resources(paths: ["/3/0"]) { path value }
  } }
  apiKeys { name role }
  factoryCredentials { identity mostDevices }
}`;

let root: string;
let source: Installation;
let running: TreelineProcess | undefined;
let before: unknown;

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(settings: Record<string, string>, ...words: string[]): Promise<Ending> {
  const ports = ['HTTP', 'COAP', 'COAPS', 'BOOTSTRAP', 'BOOTSTRAP_COAPS'].map((name) => [`TREELINE_${name}_PORT`, '0']);
  const env = { ...process.env, KAFKA_BROKERS: '', ...Object.fromEntries(ports), ...settings };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', 'src/cli.ts', ...words], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

function settingsOf(directory: string): Record<string, string> {
  return { DATABASE_URL: '', TREELINE_DATA_DIR: join(root, directory) };
}

/** One line on standard error, after the log's line of the start, and nothing else. */
function oneLine(text: string): { code: number; stdout: string; stderr: unknown } {
  const lines = new RegExp(`^([^\n]*"Treeline starts"[^\n]*\n)?treeline: [^\n]*${text}[^\n]*\n$`);
  return { code: 1, stdout: '', stderr: expect.stringMatching(lines) };
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'treeline-backup-'));
  source = await freshInstallation();
  const { pool, close } = await ownerPool(source.location);
  await pool.query('drop schema public cascade; create schema public; grant usage on schema public to public');
  await pool.query('drop schema if exists drizzle cascade');
  await pool.query(rolesSql(roleNames(SHARED_PREFIX)));
  await pool.query(await readFile('test/data/database-0000.sql', 'utf8'));
  await close();
  running = await start(source.settings);
  before = await running.query(EVERYTHING);
}, TIMEOUT);

afterAll(async () => {
  await running?.stop();
  await source?.drop();
  await rm(root, { recursive: true, force: true });
});

function start(settings: Record<string, string>): Promise<TreelineProcess> {
  return runTreeline({
    ...settings,
    TREELINE_SECRET_KEY: SECRET_KEY,
    TREELINE_ADMIN_TOKEN: ADMIN_TOKEN,
    TREELINE_TELEMETRY_RETENTION_DAYS: '3650',
  });
}

it(
  'saves and restores an installation with the commands of the documentation',
  async () => {
    const file = join(root, 'treeline.backup');
    const early = await run(source.settings, 'backup', file);
    if (source.location.kind === 'embedded') {
      expect(early).toEqual(oneLine('is in use by .*stop the server'));
      expect(existsSync(file)).toBe(false);
    } else {
      expect(early.code).toBe(0);
    }
    await running?.stop();
    running = undefined;

    expect(await run(source.settings, 'backup', file)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^Saved \d+ rows of \d+ tables/),
    });
    expect(existsSync(`${file}.unfinished`)).toBe(false);
    expect(await run(source.settings, 'backup', root)).toEqual(oneLine('exists and is not a file'));
    expect(await run(source.settings, 'backup', join(root, 'no', 'file'))).toEqual(oneLine('ENOENT.*no/file'));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const restored = settingsOf('restored');
    const wrong = { ...restored, TREELINE_SECRET_KEY: 'cd'.repeat(32) };
    expect(await run(wrong, 'restore', file)).toEqual(
      oneLine('TREELINE_SECRET_KEY is not the secret key of the backup'),
    );
    await writeFile(join(root, 'short'), (await readFile(file)).subarray(0, -20));
    expect(await run(restored, 'restore', join(root, 'short'))).toEqual(oneLine('short: it is not complete'));
    expect(existsSync(join(root, 'restored'))).toBe(false);

    const done = await run(restored, 'restore', file);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toContain(`put the secret key of the backup into ${join(root, 'restored', 'secret.key')}`);
    expect(await run(restored, 'restore', file)).toEqual(oneLine('is not empty'));
    expect(await run(restored, 'serve')).toEqual(oneLine('secret.key does not exist'));

    running = await start(restored);
    expect(await running.query(EVERYTHING)).toEqual(before);
  },
  TIMEOUT,
);
