import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../clock.ts';
import type { MessageLimits, Peer, SecurityIdentity } from '../transport.ts';
import { datagramWithin, encodeFrame, readFrame, remainder, type Frame } from './frame.ts';
import {
  abort,
  announced,
  BASE_CAPABILITIES,
  BASE_MESSAGE_SIZE,
  capabilities,
  isSignal,
  LEAST_MESSAGE_SIZE,
  messageSizeTooSmall,
  pong,
  release,
  signals,
  unknownCritical,
} from './signalling.ts';
import { Translation } from './translation.ts';

/** RFC 8323 §5.3: the peer's first message is its CSM; after this time without one the connection is closed. */
const FIRST_MESSAGE_MS = 30_000;
/** How many unsent bytes the socket may buffer when the peer does not read; above it the connection is cut. */
const MOST_UNREAD = 256 * 1024;
/** The limit for options and payload of a message: the announced Max-Message-Size. */
const LARGEST = BASE_MESSAGE_SIZE;
/** How long the peer may take to close its side after the connection was closed here; then the socket is destroyed. */
const LEAVE_MS = 1_000;

export interface ConnectionListener {
  received(peer: Peer, datagram: Uint8Array): void;
  /** The peer has sent its Capabilities and Settings Message. */
  introduced(): void;
  gone(connection: Connection): void;
}

/** A TCP or TLS connection to one peer: frames and signalling messages (RFC 8323 §3, §5). */
export class Connection {
  readonly peer: Peer;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #listener: ConnectionListener;
  readonly #translation = new Translation();
  readonly #firstMessage: Timer;
  readonly #closed: Promise<void>;
  #unread: Buffer = Buffer.alloc(0);
  #introduced = false;
  #capabilities = BASE_CAPABILITIES;
  /** True when nothing more is received or sent; the socket may still be open. */
  #over = false;

  constructor(
    socket: Socket,
    key: string,
    security: SecurityIdentity | null,
    clock: Clock,
    listener: ConnectionListener,
  ) {
    const { remoteAddress = '', remotePort = 0 } = socket;
    this.peer = { key, address: remoteAddress.replace(/^::ffff:(?=\d+\.)/, ''), port: remotePort, security };
    this.#socket = socket;
    this.#clock = clock;
    this.#listener = listener;
    this.#firstMessage = clock.after(FIRST_MESSAGE_MS, () =>
      this.#abort('no Capabilities and Settings Message received'),
    );
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#read(bytes));
    socket.on('error', () => {});
    // There are no half-open connections: when the peer closes its side, close this side too.
    socket.once('end', () => this.#leave());
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.once('close', () => this.#end());
    socket.write(capabilities());
  }

  /** False when nothing more is sent, also while the socket still closes. */
  get isOpen(): boolean {
    return !this.#over;
  }

  /** What the peer's CSM allows to send to it (RFC 8323 §5.3). */
  get limits(): MessageLimits {
    const { messageSize, blockwise } = this.#capabilities;
    return { messageBytes: datagramWithin(messageSize), blockwise };
  }

  send(datagram: Uint8Array): void {
    const { frame, echo } = this.#translation.outward(datagram);
    if (frame) this.#write(encodeFrame(frame));
    // In a microtask: the sender has not recorded yet that it waits for an acknowledgement.
    if (echo) queueMicrotask(() => !this.#over && this.#listener.received(this.peer, echo));
  }

  /** RFC 8323 §5.5: sends a Release and closes. Later messages of the peer are ignored. */
  close(): Promise<void> {
    this.#leave(release());
    return this.#closed;
  }

  #read(bytes: Buffer): void {
    if (this.#over) return;
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    let start = 0;
    while (!this.#over) {
      const read = readFrame(this.#unread, start, LARGEST);
      if (read === 'incomplete') break;
      if (typeof read === 'string') return this.#abort(`the message is ${read}`);
      start = read.end;
      this.#take(read.frame);
    }
    if (!this.#over) this.#unread = remainder(this.#unread, start);
  }

  #take(frame: Frame): void {
    if (!this.#introduced) {
      if (frame.code !== signals.csm)
        return this.#abort('the first message must be a Capabilities and Settings Message');
      this.#introduced = true;
      this.#firstMessage.cancel();
      this.#listener.introduced();
    }
    if (isSignal(frame.code)) return this.#signalled(frame);
    // RFC 8323 §3.4: Empty messages are ignored.
    if (frame.code !== 0) this.#listener.received(this.peer, this.#translation.inward(frame));
  }

  #signalled(frame: Frame): void {
    const problem = unknownCritical(frame);
    if (problem !== null) {
      return this.#abort('a critical option is unknown or malformed', typeof problem === 'number' ? problem : null);
    }
    if (frame.code === signals.csm) this.#configure(frame);
    else if (frame.code === signals.ping) this.#write(pong(frame.token));
    else if (frame.code === signals.release) this.#leave();
    else if (frame.code === signals.abort) this.#cut();
  }

  #configure(frame: Frame): void {
    this.#capabilities = announced(this.#capabilities, frame);
    if (this.#capabilities.messageSize < LEAST_MESSAGE_SIZE) this.#leave(messageSizeTooSmall());
  }

  #write(bytes: Buffer): void {
    if (this.#over) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength > MOST_UNREAD) this.#socket.destroy();
  }

  #abort(reason: string, badOption: number | null = null): void {
    this.#leave(abort(reason, badOption));
  }

  #leave(last?: Buffer): void {
    if (this.#over) return;
    if (last) this.#socket.write(last);
    this.#socket.end();
    const late = this.#clock.after(LEAVE_MS, () => this.#socket.destroy());
    this.#socket.once('close', () => late.cancel());
    this.#end();
  }

  #cut(): void {
    this.#end();
    this.#socket.destroy();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#unread = Buffer.alloc(0);
    this.#firstMessage.cancel();
    this.#listener.gone(this);
  }
}
