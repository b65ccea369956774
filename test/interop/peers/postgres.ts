import { execFile, execFileSync } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { PeerProcess } from './process.ts';
import { postgresProgram, type PostgresVersion } from './program.ts';

const run = promisify(execFile);

/** A PostgreSQL cluster of its own, empty, gone after `stop`. */
export class PostgresCluster {
  /** For `DATABASE_URL`. */
  readonly url: string;
  readonly #directory: string;
  readonly #start: () => PeerProcess;
  #process: PeerProcess | null = null;

  private constructor(url: string, directory: string, start: () => PeerProcess) {
    this.url = url;
    this.#directory = directory;
    this.#start = start;
  }

  /** Starts a cluster of Debian's version, or of another one. */
  static async start(version: PostgresVersion | null = null, more: readonly string[] = []): Promise<PostgresCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'treeline-postgres-'));
    const user = unprivilegedUser();
    if (user.uid !== undefined && user.gid !== undefined) await chown(directory, user.uid, user.gid);
    await run(
      server('initdb', version),
      ['-D', directory, '-U', 'treeline', '--auth=trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
      { ...user, cwd: directory },
    );
    const port = await freePort();
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'fsync=off'];
    const started = (): PeerProcess =>
      new PeerProcess(
        'postgres',
        server('postgres', version),
        ['-D', directory, ...[...settings, ...more].flatMap((setting) => ['-c', setting])],
        { ...user, cwd: directory },
      );
    const cluster = new PostgresCluster(`postgres://treeline@127.0.0.1:${port}/postgres`, directory, started);
    await cluster.resume();
    return cluster;
  }

  /** Starts the server again after `halt`. */
  async resume(): Promise<void> {
    this.#process = this.#start();
    await this.#process.waitFor(/ready to accept connections/);
  }

  /** Ends the server and all its connections at once, as `pg_ctl stop -m immediate` does. */
  async halt(): Promise<void> {
    await this.#process?.kill('SIGQUIT');
  }

  async stop(): Promise<void> {
    await this.#process?.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function server(name: 'initdb' | 'postgres', version: PostgresVersion | null): string {
  const path = postgresProgram(name, version);
  if (path === null) throw new Error(`no ${name}: run scripts/peers/postgres.sh`);
  return path;
}

/** Postgres refuses to run as root: then it runs as the user that Debian made for it, or as nobody. */
export function unprivilegedUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (kind: '-u' | '-g'): number => Number(execFileSync('id', [kind, name], { encoding: 'utf8' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // no such user
    }
  }
  throw new Error('running as root without a user to run Postgres as');
}
