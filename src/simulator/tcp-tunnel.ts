import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { NearEnd } from './near-end.ts';
import type { TlsCredentials } from './server-address.ts';
import { fromStream, Signal, toStream } from './stream-message.ts';
import type { StreamMessage } from './stream-message.ts';
import type { Tunnel, TunnelEvents } from './tunnel.ts';

/** Version 1 and the type, in the first byte of a datagram (RFC 7252 §3). */
const CONFIRMABLE = 0x40;
const ACKNOWLEDGEMENT = 0x60;
const NOTHING = new Uint8Array();
/** A CSM (RFC 8323 §5.3) with the base size and Block-Wise-Transfer (option 4, empty): the device supports blocks. */
const CAPABILITIES = toStream({ code: Signal.csm, token: NOTHING, rest: Buffer.of(0x40) });
/** The most unsent bytes for a server that doesn't read; above it the connection is closed. */
const MOST_UNREAD = 256 * 1024;

interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * Forwards the datagrams of a loopback port to the server over a TCP or TLS connection (RFC 8323). Messages on a stream
 * have no types and no message ids. So the tunnel acknowledges the confirmable messages of node-coap, and makes
 * incoming messages confirmable with message ids of its own. When the connection has ended, the next datagram opens
 * another.
 */
export class TcpTunnel implements Tunnel {
  readonly #near: NearEnd;
  readonly #server: Place;
  readonly #credentials: TlsCredentials | null;
  readonly #events: TunnelEvents;
  #connection: Socket | null = null;
  #nextMessageId = 0;

  private constructor(near: NearEnd, server: Place, credentials: TlsCredentials | null, events: TunnelEvents) {
    this.#near = near;
    this.#server = server;
    this.#credentials = credentials;
    this.#events = events;
    near.listen((datagram) => this.#outward(datagram));
  }

  /** Uses TLS with credentials and TCP without. Rejects when no port is free. */
  static async open(server: Place, credentials: TlsCredentials | null, events: TunnelEvents): Promise<TcpTunnel> {
    return new TcpTunnel(await NearEnd.open(), server, credentials, events);
  }

  get port(): number {
    return this.#near.port;
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    connection?.end(toStream({ code: Signal.release, token: NOTHING, rest: NOTHING }));
    await this.#near.close();
  }

  #outward(datagram: Buffer): void {
    const [first = 0, code = 0, high = 0, low = 0] = datagram;
    // A stream has no acknowledgements and resets.
    if (code === 0) return;
    if ((first & 0xf0) === CONFIRMABLE) this.#near.send(Buffer.of(ACKNOWLEDGEMENT, 0, high, low));
    const options = 4 + (first & 0x0f);
    this.#connection ??= this.#connect();
    this.#connection.write(toStream({ code, token: datagram.subarray(4, options), rest: datagram.subarray(options) }));
    if (this.#connection.writableLength > MOST_UNREAD) this.#connection.destroy();
  }

  #inward({ code, token, rest }: StreamMessage): void {
    const id = this.#nextMessageId;
    this.#nextMessageId = (id + 1) & 0xffff;
    this.#near.send(Buffer.concat([Buffer.of(CONFIRMABLE | token.length, code, id >> 8, id & 0xff), token, rest]));
  }

  #connect(): Socket {
    const connection = this.#open();
    let unread = Buffer.alloc(0);
    let introduced = false;
    let why = 'closed by the server';
    connection.setNoDelay(true);
    connection.on('data', (bytes) => {
      unread = Buffer.concat([unread, bytes]);
      try {
        for (let next = fromStream(unread); next !== null; next = fromStream(unread)) {
          const { message, size } = next;
          unread = unread.subarray(size);
          // RFC 8323 §3.3: the first message is the server's CSM.
          if (!introduced && message.code !== Signal.csm) throw new Error('the server did not send a CSM first');
          introduced = true;
          if (!signalled(connection, message)) this.#inward(message);
        }
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
        connection.write(toStream({ code: Signal.abort, token: NOTHING, rest: NOTHING }));
        // The rest of the stream can't be split into messages and is ignored.
        connection.destroySoon();
      }
    });
    connection.on('error', (error) => (why = error.message));
    connection.on('close', () => {
      if (this.#connection !== connection) return;
      this.#connection = null;
      this.#events.log(`connection ended: ${why}`);
      this.#events.lost();
    });
    connection.write(CAPABILITIES);
    return connection;
  }

  #open(): Socket {
    if (this.#credentials === null) return connect(this.#server);
    const { certificate, privateKey, authorities } = this.#credentials;
    // RFC 8323 §8.2
    const ALPNProtocols = ['coap'];
    return connectSecurely({ ...this.#server, cert: certificate, key: privateKey, ca: authorities, ALPNProtocols });
  }
}

/** Handles a signaling message (RFC 8323 §5). Returns false for a request or response. */
function signalled(connection: Socket, { code, token }: StreamMessage): boolean {
  if (code === Signal.ping) connection.write(toStream({ code: Signal.pong, token, rest: NOTHING }));
  if (code === Signal.release) connection.end();
  if (code === Signal.abort) connection.destroy();
  // RFC 8323 §3.4: empty messages are ignored.
  return code >> 5 === 7 || code === 0;
}
