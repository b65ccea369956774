import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN_TOKEN, freshInstallation, runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { PostgresCluster, requirePeer } from './peers/index.ts';

/** Milliseconds in which the process says how it is, whatever hangs. */
const PATIENCE = 2_000;

requirePeer('postgres')('while Postgres hangs', () => {
  let cluster: PostgresCluster;
  let closed: TreelineProcess;
  let open: TreelineProcess;
  const stopped: number[] = [];
  const undo: (() => Promise<unknown>)[] = [];

  /** Starts the product with a data directory of its own. */
  async function start(settings: Record<string, string> = {}): Promise<TreelineProcess> {
    const { settings: own, drop } = await freshInstallation();
    undo.push(drop);
    const treeline = await runTreeline({
      ...own,
      DATABASE_URL: cluster.url,
      TREELINE_SECRET_KEY: 'ab'.repeat(32),
      ...settings,
    });
    undo.push(() => treeline.stop());
    return treeline;
  }

  beforeAll(async () => {
    cluster = await PostgresCluster.start();
    undo.push(() => cluster.stop());
    closed = await start();
    open = await start({ TREELINE_METRICS_WITHOUT_TOKEN: 'true' });
    const admin = new Client({ connectionString: cluster.url });
    await admin.connect();
    const { rows } = await admin.query<{ pid: number }>(`
      select pid from pg_stat_activity where application_name = 'treeline'
      union all select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int`);
    await admin.end();
    for (const { pid } of rows) {
      process.kill(pid, 'SIGSTOP');
      stopped.push(pid);
    }
  });
  afterAll(async () => {
    for (const pid of stopped) process.kill(pid, 'SIGCONT');
    for (const step of undo.toReversed()) await step();
  });

  it.each([
    ['/healthz', 'with a token', 200, '"ok"'],
    ['/readyz', 'with a token', 503, '"ready":false'],
    ['/metrics', 'with a token', 503, 'TREELINE_METRICS_WITHOUT_TOKEN=true'],
    ['/metrics', 'open to everybody', 200, 'treeline_outbox_waiting Nan'],
  ])('%s, %s, answers within two seconds', async (path, access, status, text) => {
    const treeline = access === 'with a token' ? closed : open;
    const headers = new Headers(access === 'with a token' ? { authorization: `Bearer ${ADMIN_TOKEN}` } : {});
    const asked = performance.now();
    const response = await fetch(new URL(path, treeline.graphql), { headers, signal: AbortSignal.timeout(10_000) });
    expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(text)]);
    expect(performance.now() - asked).toBeLessThan(PATIENCE);
  });
});
