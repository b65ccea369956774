import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore, type StoreError } from '../../src/store/index.ts';
import { requirePeer } from './peers/index.ts';
import { PostgresCluster, unprivilegedUser } from './peers/postgres.ts';

const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)('openssl', args);

requirePeer('postgres', 'openssl')('a Postgres', () => {
  let directory: string;
  let secured: PostgresCluster;
  let plain: PostgresCluster;
  const warnings: string[] = [];
  const warned = ({ message }: Error): void => void warnings.push(message);

  beforeAll(async () => {
    process.on('warning', warned);
    directory = await mkdtemp(join(tmpdir(), 'treeline-postgres-tls-'));
    const file = (name: string): string => join(directory, name);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    await openssl(
      'req',
      '-x509',
      ...key,
      '-subj',
      '/CN=an authority',
      '-keyout',
      file('ca.key'),
      '-out',
      file('ca.pem'),
    );
    await openssl(
      'req',
      '-x509',
      ...key,
      '-subj',
      '/CN=another',
      '-keyout',
      file('other.key'),
      '-out',
      file('other.pem'),
    );
    // The certificate is that of `localhost` only, and not of 127.0.0.1.
    const of = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const issuer = ['-CA', file('ca.pem'), '-CAkey', file('ca.key')];
    await openssl('req', '-x509', ...issuer, ...key, ...of, '-keyout', file('server.key'), '-out', file('server.pem'));
    const { uid, gid } = unprivilegedUser();
    if (uid !== undefined && gid !== undefined) {
      for (const name of ['server.key', 'server.pem', '']) await chown(file(name), uid, gid);
    }
    secured = await PostgresCluster.start(null, [
      'ssl=on',
      `ssl_cert_file=${file('server.pem')}`,
      `ssl_key_file=${file('server.key')}`,
    ]);
    plain = await PostgresCluster.start();
  });
  afterAll(async () => {
    process.off('warning', warned);
    await secured?.stop();
    await plain?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** Whether the store’s connection is encrypted, or why there is none. */
  async function attempt(cluster: PostgresCluster, host: string, query: string): Promise<boolean | string> {
    const url = new URL(cluster.url);
    url.hostname = host;
    url.search = query.replaceAll('DIRECTORY', encodeURIComponent(directory));
    try {
      const store = await openStore({ database: { kind: 'postgres', url: url.href } });
      const encrypted = sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
      const { rows } = await store.asSystem(async (tx) => {
        // Only the user itself may see it.
        await tx.execute(sql`reset role`);
        return tx.execute<{ ssl: boolean }>(encrypted);
      });
      await store.close();
      return rows[0]?.ssl ?? false;
    } catch (error) {
      return (error as StoreError).message; // openStore rejects with nothing else
    }
  }

  it.each([
    ['127.0.0.1', ''],
    ['127.0.0.1', 'sslmode=prefer'],
    ['127.0.0.1', 'sslmode=require'],
    ['127.0.0.1', 'sslmode=require&channel_binding=require'],
    ['127.0.0.1', 'sslmode=require&sslrootcert=DIRECTORY/ca.pem'],
    ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=DIRECTORY/ca.pem'],
    ['localhost', 'sslmode=verify-full&sslrootcert=DIRECTORY/ca.pem'],
  ])('with TLS is reached over TLS at %s with %s', async (host, query) => {
    expect(await attempt(secured, host, query)).toBe(true);
  });

  it.each(['sslmode=disable', 'sslmode=allow'])('with TLS is reached without it with %s', async (query) => {
    expect(await attempt(secured, '127.0.0.1', query)).toBe(false);
  });

  it.each(['', 'sslmode=prefer', 'sslmode=allow', 'sslmode=disable'])(
    'without TLS is reached with "%s"',
    async (query) => {
      expect(await attempt(plain, '127.0.0.1', query)).toBe(false);
    },
  );

  it.each([
    ['127.0.0.1', 'sslmode=require&sslrootcert=DIRECTORY/other.pem', /certificate/],
    ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=DIRECTORY/other.pem', /certificate/],
    ['127.0.0.1', 'sslmode=verify-full&sslrootcert=DIRECTORY/ca.pem', /IP: 127\.0\.0\.1 is not in the cert/],
    ['localhost', 'sslmode=verify-full', /certificate/],
    ['localhost', 'sslmode=verify-ca', /^sslmode=verify-ca requires sslrootcert, the file with the authorities$/],
    [
      'localhost',
      'sslmode=verify-full&sslrootcert=/nowhere.pem',
      /^sslrootcert of DATABASE_URL: \/nowhere\.pem can't be read \(ENOENT\)$/,
    ],
    ['localhost', 'sslmode=verify-full&sslrootcert=DIRECTORY/ca.key.der', /can't be read/],
  ])('with TLS is refused at %s with %s', async (host, query, message) => {
    const reason = await attempt(secured, host, query);
    expect(reason).toMatch(message);
    expect(reason).not.toContain('\n');
  });

  it('without TLS is refused where TLS is required', async () => {
    expect(await attempt(plain, '127.0.0.1', 'sslmode=require')).toContain(
      'The server does not support SSL connections',
    );
  });

  it('causes no warning of the driver', () => {
    expect(warnings).toEqual([]);
  });
});
