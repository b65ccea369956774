import { sql } from 'drizzle-orm';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import {
  openChannel,
  openStore,
  tenants,
  type Store,
  type StoreError,
  type StoreOptions,
} from '../../src/store/index.ts';
import { ManualClock } from '../manual-clock.ts';
import { requirePeer } from './peers/index.ts';
import { PgBouncer } from './peers/pgbouncer.ts';
import { PostgresCluster } from './peers/postgres.ts';

/** The lock that `migrate` takes: "tree" in ASCII. */
const MIGRATION_LOCK = 0x74726565;

let cluster: PostgresCluster;
let number = 0;
/** A new database for each test, and its owner, who may create roles. */
let url: string;
const undo: (() => Promise<unknown>)[] = [];

async function administrator(): Promise<Client> {
  const client = new Client({ connectionString: cluster.url });
  client.on('error', () => {});
  await client.connect();
  undo.push(() => client.end().catch(() => {}));
  return client;
}

async function started(options: Partial<StoreOptions> & { readonly through?: string } = {}): Promise<Store> {
  const store = await openStore({ ...options, database: { kind: 'postgres', url: options.through ?? url } });
  undo.push(() => store.close());
  return store;
}

const refusal = (attempt: Promise<unknown>): Promise<StoreError> =>
  attempt.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: StoreError) => error,
  );

const pause = (): Promise<undefined> => new Promise((resolve) => setImmediate(resolve, undefined));

const add = (store: Store, id: string): Promise<unknown> =>
  store.asSystem((tx) => tx.insert(tenants).values({ id, name: id, createdAt: new Date() }));
const count = (store: Store): Promise<number> => store.asSystem((tx) => tx.$count(tenants));

requirePeer('postgres', 'pgbouncer')('a store on Postgres', () => {
  beforeAll(async () => {
    cluster = await PostgresCluster.start();
  });
  afterAll(() => cluster?.stop());
  beforeEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    const name = `owner_${++number}`;
    const admin = await administrator();
    await admin.query(`create role ${name} login createrole`);
    await admin.query(`create database ${name} owner ${name}`);
    url = cluster.url.replace('//treeline@', `//${name}@`).replace('/postgres', `/${name}`);
  });
  afterAll(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  it.each(['halted', 'told to end its connections'])(
    'that is %s in the middle of transactions fails them, and works again afterwards',
    async (what) => {
      const store = await started();
      const entered: (() => void)[] = [];
      const held = Promise.all(
        [1, 2, 3, 4].map((one) =>
          refusal(
            store.asSystem(async (tx) => {
              await tx.execute(sql`select ${one}::int`);
              await new Promise<void>((resolve) => {
                entered.push(resolve);
                if (entered.length === 4) void broken();
              });
              // The connection is used again now. Until then, no statement waits for it.
              await tx.execute(sql`select ${one}::int`);
            }),
          ),
        ),
      );
      const broken = async (): Promise<void> => {
        if (what === 'halted') {
          await cluster.halt();
          await cluster.resume();
        } else {
          const admin = await administrator();
          await admin.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'treeline'`,
          );
        }
        for (const go of entered) go();
      };
      for (const error of await held) expect(error).toMatchObject({ name: 'StoreError', unavailable: true });
      await add(store, 'acme');
      expect(await count(store)).toBe(1);
      expect(store.snapshot().lost).toBeGreaterThanOrEqual(4);
    },
  );

  it('whose connections stop responding fails their statements at the deadline, and continues with new ones', async () => {
    const store = await started({ statementMs: 1_000, poolSize: 2 });
    const admin = await administrator();
    const stopped: number[] = [];
    undo.push(async () => stopped.forEach((pid) => process.kill(pid, 'SIGCONT')));
    const held = [1, 2].map(() =>
      refusal(
        store.asSystem(async (tx) => {
          const { rows } = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
          const pid = rows[0]?.pid ?? 0;
          process.kill(pid, 'SIGSTOP');
          stopped.push(pid);
          await tx.execute(sql`select 1`);
        }),
      ),
    );
    for (const error of await Promise.all(held)) {
      expect(error).toMatchObject({ code: 'LOST', message: 'the database did not answer in time' });
    }
    await add(store, 'acme');
    expect(await count(store)).toBe(1);
    await admin.query('select 1');
  });

  it('cancels a statement that takes too long, and a wait for a lock, and says which', async () => {
    const store = await started({ statementMs: 500 });
    const slow = await refusal(store.asSystem((tx) => tx.execute(sql`select pg_sleep(60)`)));
    expect(slow).toMatchObject({ unavailable: true, message: 'canceling statement due to statement timeout' });
    await add(store, 'acme');
    const admin = new Client({ connectionString: url.replace(/\/\/owner_\d+@/, '//treeline@') });
    await admin.connect();
    undo.push(() => admin.end());
    await admin.query('begin; select * from tenants for update');
    const locked = await refusal(
      store.asSystem(async (tx) => {
        await tx.execute(sql`set local statement_timeout = 0`);
        await tx.update(tenants).set({ name: 'Acme' });
      }),
    );
    expect(locked).toMatchObject({ unavailable: true, sqlState: '55P03' });
    expect(locked.message).toContain('canceling statement due to lock timeout while');
    expect(locked.message).toContain('relation "tenants"');
  });

  it('answers the readiness check within two seconds, and closes within four, while the server is stopped', async () => {
    const store = await started({ poolSize: 1 });
    const { rows } = await store.asSystem((tx) => tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`));
    const pid = rows[0]?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    undo.push(async () => void process.kill(pid, 'SIGCONT'));
    let at = Date.now();
    expect(await refusal(store.ping())).toMatchObject({ code: 'LOST' });
    expect(Date.now() - at).toBeLessThan(2_000);
    at = Date.now();
    await store.close();
    expect(Date.now() - at).toBeLessThan(4_000);
  });

  it('lets transactions wait their turn when Postgres has no more connections', async () => {
    const store = await started({ poolSize: 10 });
    const admin = await administrator();
    await admin.query(`alter role owner_${number} connection limit 2`);
    const ids = Array.from({ length: 20 }, (_, at) => `t${at}`);
    await Promise.all(ids.map((id) => add(store, id)));
    expect(await count(store)).toBe(20);
    expect(store.snapshot().refused).toBeGreaterThan(0);
  });

  it('reports that Postgres has no connection left when none becomes free', async () => {
    const clock = new ManualClock();
    const store = await started({ clock });
    const admin = await administrator();
    await admin.query(`alter role owner_${number} connection limit 0`);
    const failing = refusal(count(store));
    let error: StoreError | undefined;
    while (error === undefined) {
      await clock.advance(500);
      error = await Promise.race([failing, pause()]);
    }
    expect(error).toMatchObject({ code: 'BUSY', unavailable: true });
    expect(error.message).toMatch(/^Postgres has no connection left: too many connections for role "owner_\d+"$/);
    expect(await refusal(started())).toMatchObject({ code: 'BUSY', message: expect.stringContaining('too many') });
  });

  it('reports what a start waits for, and gives up after a while with one line', async () => {
    const other = new Client({ connectionString: url });
    await other.connect();
    undo.push(() => other.end());
    await other.query(`select pg_advisory_lock(${MIGRATION_LOCK})`);
    const { rows } = await other.query('select pg_backend_pid() as pid');
    const who = `another process, which migrates the database (PostgreSQL process ${rows[0].pid})`;
    const notices: string[] = [];
    const error = await refusal(started({ migrationWaitMs: 500, onNotice: (text) => notices.push(text) }));
    expect(error).toMatchObject({
      code: 'CANNOT_OPEN',
      message: `can't migrate the database: waited 0.5 s for ${who}`,
    });
    expect(notices).toEqual([`waiting up to 0.5 s for ${who}`]);
    await other.query(`select pg_advisory_unlock(${MIGRATION_LOCK})`);
    await started();
  });

  it('ends a start with one line when the server halts during the migration', async () => {
    const other = new Client({ connectionString: url });
    other.on('error', () => {});
    await other.connect();
    await other.query(`select pg_advisory_lock(${MIGRATION_LOCK})`);
    let restarted: Promise<void> | undefined;
    const halt = (): void => void (restarted = cluster.halt().then(() => cluster.resume()));
    const error = await refusal(started({ onNotice: halt }));
    await restarted;
    expect(error.code).toBe('CANNOT_OPEN');
    expect(error.message).toMatch(/^can't migrate the database: .*(terminat|ECONNRESET).*$/);
  });

  describe.each(['transaction', 'session'] as const)('behind pgbouncer in %s mode', (mode) => {
    it('starts twice, keeps the tenants apart, and leaves no rights behind', async () => {
      const bouncer = await PgBouncer.start(url, mode, 4);
      undo.push(() => bouncer.stop());
      const through = bouncer.url(url);
      const notices: string[] = [];
      const options = { through, poolSize: 2, onNotice: (text: string) => void notices.push(text) };
      const one = await started(options);
      const two = await started(options);
      expect(notices).toEqual(Array.from({ length: 2 }, () => expect.stringContaining('connection pooler')));
      await add(one, 'acme');
      await add(two, 'globex');
      const seen = await Promise.all(
        Array.from({ length: 40 }, (_, at) => {
          const [store, id] = at % 2 === 0 ? ([one, 'acme'] as const) : ([two, 'globex'] as const);
          return store.asTenant(id, async (tx) => (await tx.select().from(tenants)).map((row) => row.id).join());
        }),
      );
      expect(new Set(seen)).toEqual(new Set(['acme', 'globex']));
      for (let n = 0; n < 4; n++) {
        const client = new Client({ connectionString: through });
        await client.connect();
        expect((await client.query('select current_user = session_user as own')).rows).toEqual([{ own: true }]);
        expect((await client.query('select * from tenants')).rows).toEqual([]);
        await client.end();
      }
      await started({ through });
    });

    it('has a channel that sends, and says that it hears nothing', async () => {
      await started();
      const bouncer = await PgBouncer.start(url, mode, 4);
      undo.push(() => bouncer.stop());
      const heard: string[] = [];
      const open = async (address: string, onMessage: (message: string) => void) => {
        let connected: (() => void) | undefined;
        const ready = new Promise<void>((resolve) => (connected = resolve));
        const channel = openChannel({
          database: { kind: 'postgres', url: address },
          clock: systemClock,
          onMessage,
          onConnected: () => connected?.(),
          onLost: () => {},
        });
        undo.push(() => channel.close());
        await ready;
        return channel;
      };
      let arrived: (() => void) | undefined;
      const message = new Promise<void>((resolve) => (arrived = resolve));
      const direct = await open(url, (text) => {
        heard.push(text);
        arrived?.();
      });
      const pooled = await open(bouncer.url(url), () => {});
      expect([direct.snapshot().connected, pooled.snapshot().connected]).toEqual([true, false]);
      await pooled.send('hello');
      await message;
      expect(heard).toEqual(['hello']);
    });
  });
});
