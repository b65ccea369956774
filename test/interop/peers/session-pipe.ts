import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { Relay } from '../../dtls/relay.ts';

/** RFC 6347 §4.1: the first byte of a record of application data. */
const APPLICATION_DATA = 23;

/**
 * A client program as a session of bytes: once it has shaken hands, each write to it is a record to the server, and
 * each record from the server it prints. A stream has no records: so the network in between tells how long each one is,
 * and lets the next one through when it was heard.
 */
export class SessionPipe {
  /** Resolves when the program has ended, with what it said on standard error. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #relay: Relay;
  #receive: (record: Buffer) => void = () => {};
  readonly #overhead: number;
  readonly #waiting: { readonly length: number; readonly deliver: () => void }[] = [];
  /** Bytes of the record that was let through; null when the last was heard. */
  #expected: number | null = null;
  #heard = Buffer.alloc(0);

  private constructor(child: ChildProcessWithoutNullStreams, relay: Relay, overhead: number) {
    this.#child = child;
    this.#relay = relay;
    this.#overhead = overhead;
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    child.stdin.on('error', () => {});
    child.stdout.on('data', (bytes: Buffer) => this.#hear(bytes));
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code) => resolve(`${child.spawnfile} ended with ${code}:\n${said}`));
    });
    relay.carry = (datagram, direction, deliver) => {
      if (direction === 'to the server' || datagram[0] !== APPLICATION_DATA) return deliver();
      this.#waiting.push({ length: datagram.length - this.#overhead, deliver });
      this.#letThrough();
    };
  }

  /**
   * `words` of the command line, with the port at 127.0.0.1 where the program finds the server. `overhead`: what DTLS adds
   * to the bytes of a record; the most that it may add is enough for a program that prints each record at once.
   */
  static async start(
    { server, overhead }: { readonly server: number; readonly overhead: number },
    command: string,
    words: (port: number) => string[],
  ): Promise<SessionPipe> {
    const relay = await Relay.start(server);
    return new SessionPipe(spawn(command, words(relay.port)), relay, overhead);
  }

  onRecord(receive: (record: Buffer) => void): void {
    this.#receive = receive;
  }

  send(record: Buffer): void {
    this.#child.stdin.write(record);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
    this.#relay.stop();
  }

  #hear(bytes: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, bytes]);
    if (this.#expected === null || this.#heard.length < this.#expected) return;
    const record = this.#heard;
    this.#heard = Buffer.alloc(0);
    this.#expected = null;
    this.#receive(record);
    this.#letThrough();
  }

  #letThrough(): void {
    if (this.#expected !== null) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#expected = next.length;
    next.deliver();
  }
}
