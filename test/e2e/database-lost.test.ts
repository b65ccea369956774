import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runTreeline } from './treeline-process.ts';

/**
 * Terminates the database's thread, like running out of memory, when the process receives the signal. The thread of tsx
 * was created before.
 */
const ENDS_THE_THREAD = `
  let newest;
  process.on('worker', (worker) => { newest = worker; });
  process.once('SIGUSR2', () => newest.terminate());`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'treeline-lost-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('exits with a one-line error when the embedded database is lost, and can start again', async () => {
  const settings = { DATABASE_URL: '', TREELINE_DATA_DIR: directory };
  const preload = `data:text/javascript,${encodeURIComponent(ENDS_THE_THREAD)}`;
  const treeline = await runTreeline({ ...settings, NODE_OPTIONS: `--import=${preload}` });
  const before = treeline.output();
  process.kill(treeline.pid, 'SIGUSR2');
  expect(await treeline.ended()).toBe(1);
  expect(treeline.output().slice(before.length)).toBe('treeline: the embedded database ended: its thread ended\n');
  const again = await runTreeline(settings);
  const answer = again.query('{ viewer { role } }').finally(() => again.stop());
  expect(await answer).toEqual({ viewer: { role: 'ADMIN' } });
  // Two starts of the server.
}, 120_000);
