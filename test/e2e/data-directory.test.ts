import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const TIMEOUT = 300_000;
/** What unshare(1) needs so that the command is process 1 of a PID namespace of its own, like in a container. */
const CONTAINER = ['-Urpf', '--mount-proc', '--kill-child=SIGKILL'];

/** A server on the directory: what it has written, and its ID in the namespace of this process. */
interface Server {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
  pid(): Promise<number>;
  /** Resolves when the server runs, with true, or has ended, with false. */
  readonly started: Promise<boolean>;
}

describe.runIf(canUnshare())('the data directory of the embedded database, on the volume of several containers', () => {
  let directory: string;
  const servers: Server[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'treeline-volume-'));
  });

  afterAll(async () => {
    for (const { child, exited } of servers) {
      child.kill('SIGKILL');
      await exited;
    }
    await rm(directory, { recursive: true, force: true });
  });

  /** Starts a server in a container of its own. */
  function serve(): Server {
    const ports = ['HTTP', 'COAP', 'COAPS', 'BOOTSTRAP', 'BOOTSTRAP_COAPS'].map((name) => [
      `TREELINE_${name}_PORT`,
      '0',
    ]);
    const settings = { DATABASE_URL: '', KAFKA_BROKERS: '', TREELINE_DATA_DIR: directory };
    const child = spawn('unshare', [...CONTAINER, process.execPath, '--import', 'tsx', 'src/cli.ts', 'serve'], {
      env: { ...process.env, ...Object.fromEntries(ports), ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = once(child, 'close').then(([code]) => code as number | null); // the arguments of `close`
    let output = '';
    const started = new Promise<boolean>((resolve) => {
      const hear = (chunk: Buffer): void => {
        output += chunk.toString();
        if (output.includes('Press Ctrl-C to stop.')) resolve(true);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      void exited.then(() => resolve(false));
    });
    const server: Server = {
      child,
      output: () => output,
      exited,
      started,
      async pid() {
        const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
        return Number(children.trim().split(' ')[0]);
      },
    };
    servers.push(server);
    return server;
  }

  it(
    'serves one of them, which a killed or stalled one does not prevent',
    async () => {
      const first = serve();
      expect(await first.started).toBe(true);

      const second = serve();
      expect(await second.started).toBe(false);
      expect(await second.exited).toBe(1);
      const lines = second.output().trim().split('\n');
      expect(lines.at(-1)).toMatch(/^treeline: TREELINE_DATA_DIR: the directory .* is in use by process 1$/);

      process.kill(await first.pid(), 'SIGKILL');
      await first.exited;
      const third = serve();
      expect([await third.started, third.output()]).toEqual([true, expect.any(String)]);

      const stalled = await third.pid();
      process.kill(stalled, 'SIGSTOP');
      const fourth = serve();
      expect(await fourth.started).toBe(true);
      process.kill(stalled, 'SIGCONT');
      expect(await third.exited).toBe(1);
      expect(third.output()).toMatch(
        /treeline: the embedded database ended: another process has taken its directory.*\n$/,
      );

      process.kill(await fourth.pid(), 'SIGTERM');
      expect(await fourth.exited).toBe(0);
      const fifth = serve();
      expect(await fifth.started).toBe(true);
      expect(fifth.output()).not.toContain('waiting');
    },
    TIMEOUT,
  );
});

function canUnshare(): boolean {
  try {
    execFileSync('unshare', [...CONTAINER, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
