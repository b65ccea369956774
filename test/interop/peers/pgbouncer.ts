import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { unprivilegedUser } from './postgres.ts';
import { PeerProcess } from './process.ts';
import { program, SYSTEM_DIRECTORIES } from './program.ts';

/** pgbouncer in front of all databases of a cluster. */
export class PgBouncer {
  readonly #port: number;
  readonly #directory: string;
  readonly #process: PeerProcess;

  private constructor(port: number, directory: string, process: PeerProcess) {
    this.#port = port;
    this.#directory = directory;
    this.#process = process;
  }

  /** `url`: of a user of the cluster. `poolSize`: connections to each database. */
  static async start(url: string, mode: 'session' | 'transaction', poolSize: number): Promise<PgBouncer> {
    const path = program('pgbouncer', SYSTEM_DIRECTORIES);
    if (path === null) throw new Error('no pgbouncer: run scripts/peers/pgbouncer.sh');
    const { hostname, port: clusterPort, username: user } = new URL(url);
    const directory = await mkdtemp(join(tmpdir(), 'treeline-pgbouncer-'));
    const port = await freePort();
    const users = join(directory, 'users');
    const settings = join(directory, 'pgbouncer.ini');
    await writeFile(users, `"${user}" ""\n`);
    await writeFile(
      settings,
      `[databases]
* = host=${hostname} port=${clusterPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = ${mode}
default_pool_size = ${poolSize}
`,
    );
    const account = unprivilegedUser();
    if (account.uid !== undefined && account.gid !== undefined) {
      for (const file of [directory, users, settings]) await chown(file, account.uid, account.gid);
    }
    const process = new PeerProcess('pgbouncer', path, [settings], { ...account, cwd: directory });
    await process.waitFor(/process up/);
    return new PgBouncer(port, directory, process);
  }

  /** The same user and database, through pgbouncer. */
  url(direct: string): string {
    const url = new URL(direct);
    url.port = String(this.#port);
    return url.href;
  }

  async stop(): Promise<void> {
    await this.#process.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
