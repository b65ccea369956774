import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A file of `examples/` in a process of its own, as a user runs it. */
export interface ExampleProcess {
  /** The complete lines of standard output so far. */
  readonly lines: () => readonly string[];
  /** Standard error so far. */
  readonly errors: () => string;
  /** Resolves with the exit code once it has ended and all its output has arrived; null: a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Sends SIGINT to it and its children, as Ctrl-C does, and resolves with the exit code. */
  stop(): Promise<number | null>;
}

export function runExample(
  environment: Record<string, string>,
  file: string,
  ...options: readonly string[]
): ExampleProcess {
  const child = spawn(file.endsWith('.sh') ? 'bash' : process.execPath, [`examples/${file}`, ...options], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = once(child, 'close').then(([code]) => code as number | null); // of a child's `close`
  return {
    lines: () => output.split('\n').slice(0, -1),
    errors: () => errors,
    ended,
    stop() {
      const running = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
      if (running) process.kill(-Number(child.pid), 'SIGINT');
      return ended;
    },
  };
}
