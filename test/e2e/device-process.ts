import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** `treeline device` in a separate process. */
export interface DeviceProcess {
  readonly output: () => string;
  /** Resolves when the output matches; fails when the device ends or `ms` pass before. */
  heard(pattern: RegExp, ms?: number): Promise<void>;
  /** Sends SIGINT (the device de-registers) and resolves with the exit code. */
  stop(): Promise<number | null>;
}

export function runDevice(
  { scheme = 'coap', host, port }: { scheme?: 'coap' | 'coaps'; host: string; port: number },
  endpoint: string,
  ...options: string[]
): DeviceProcess {
  const server = `${scheme}://${host}:${port}`;
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'src/cli.ts', 'device', '--server', server, '--endpoint', endpoint, ...options],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = once(child, 'exit');
  let output = '';
  const listeners = new Set<() => void>();
  const hear = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return {
    output: () => output,
    heard: (pattern, ms = 20_000) =>
      new Promise((resolve, reject) => {
        const finish = (failure?: string): void => {
          clearTimeout(timer);
          listeners.delete(look);
          if (failure === undefined) resolve();
          else reject(new Error(`${failure} without ${pattern}:\n${output}`));
        };
        const look = (): void => {
          if (pattern.test(output)) finish();
        };
        const timer = setTimeout(() => finish(`${ms} ms passed`), ms);
        void exited.then(() => finish('the device ended'));
        listeners.add(look);
        look();
      }),
    async stop() {
      child.kill('SIGINT');
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}
