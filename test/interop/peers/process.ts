import { spawn, type ChildProcessWithoutNullStreams, type SpawnOptionsWithoutStdio } from 'node:child_process';

const KEPT_LINES = 10_000;

interface Waiter {
  readonly pattern: RegExp;
  readonly found: (line: RegExpMatchArray) => void;
  readonly lost: (reason: Error) => void;
}

/** A peer's process: what it says, line by line, and a hold on it by the id that it was started with. */
export class PeerProcess {
  readonly name: string;
  /** Both outputs, in the order in which they came; the last 10,000. */
  readonly lines: string[] = [];
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiters = new Set<Waiter>();

  constructor(name: string, command: string, args: readonly string[], options: SpawnOptionsWithoutStdio = {}) {
    this.name = name;
    this.#child = spawn(command, args, options);
    this.#listen(this.#child.stdout);
    this.#listen(this.#child.stderr);
    this.#child.stdin.on('error', () => {});
    this.exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#end(`could not be started: ${error.message}`);
        resolve(null);
      });
      this.#child.once('close', (code) => {
        this.#end(`ended with ${code}`);
        resolve(code);
      });
    });
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** One line to its standard input. */
  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** How many lines it said so far: pass it to `waitFor` to look only at what comes after. */
  mark(): number {
    return this.lines.length;
  }

  /**
   * The first line from `since` on that matches, said already or within `timeoutMs`. Fails with its last lines when
   * it ends or time runs out.
   */
  waitFor(pattern: RegExp, { since = 0, timeoutMs = 30_000 } = {}): Promise<RegExpMatchArray> {
    for (const line of this.lines.slice(since)) {
      const match = line.match(pattern);
      if (match) return Promise.resolve(match);
    }
    if (!this.running) return Promise.reject(this.#silence(pattern, 'has ended'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => waiter.lost(this.#silence(pattern, `in ${timeoutMs} ms`)), timeoutMs);
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        pattern,
        found: (match) => (done(), resolve(match)),
        lost: (reason) => (done(), reject(reason)),
      };
      this.#waiters.add(waiter);
    });
  }

  /** Asks it to end, and kills it when it has not after `graceMs`. */
  async stop(graceMs = 15_000): Promise<number | null> {
    if (!this.running) return this.exited;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }

  /** Ends it as a power cut does, or with another signal. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    await this.exited;
  }

  #listen(stream: NodeJS.ReadableStream): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line);
    });
    stream.on('end', () => {
      if (rest !== '') this.#hear(rest);
    });
  }

  #hear(line: string): void {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    for (const waiter of this.#waiters) {
      const match = line.match(waiter.pattern);
      if (match) waiter.found(match);
    }
  }

  #end(reason: string): void {
    for (const waiter of this.#waiters) waiter.lost(this.#silence(waiter.pattern, reason));
  }

  #silence(pattern: RegExp, when: string): Error {
    return new Error(
      `${this.name}: no line like ${pattern} (${when}); it said last:\n${this.lines.slice(-20).join('\n')}`,
    );
  }
}
