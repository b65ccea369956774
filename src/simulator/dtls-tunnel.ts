import { lookup } from 'node:dns/promises';
import { dtls } from 'node-dtls-client';
import { NearEnd } from './near-end.ts';
import type { PreSharedKey } from './server-address.ts';
import type { Tunnel } from './tunnel.ts';

/** The most datagrams kept during a handshake; CoAP retransmits the others. */
const MOST_WAITING = 8;
const HANDSHAKE_MS = 10_000;

interface ServerAddress {
  readonly address: string;
  readonly family: number;
  readonly port: number;
}

interface Session {
  readonly socket: dtls.Socket;
  open: boolean;
}

/**
 * Forwards the datagrams of a loopback port to the server through a DTLS session (RFC 7252 §9.1). The session is from
 * node-dtls-client, which supports only PSK and does not retransmit. When the session has ended or failed, the next
 * datagram starts a new handshake, and CoAP retransmits lost messages.
 */
export class DtlsTunnel implements Tunnel {
  readonly #near: NearEnd;
  readonly #server: ServerAddress;
  readonly #psk: PreSharedKey;
  readonly #log: (line: string) => void;
  #session: Session | null = null;
  #waiting: Buffer[] = [];

  private constructor(near: NearEnd, server: ServerAddress, psk: PreSharedKey, log: (line: string) => void) {
    this.#near = near;
    this.#server = server;
    this.#psk = psk;
    this.#log = log;
    near.listen((datagram) => this.#send(datagram));
  }

  /** Rejects when the server's name is unknown or no port is free. */
  static async open(
    server: { readonly host: string; readonly port: number },
    psk: PreSharedKey,
    log: (line: string) => void,
  ): Promise<DtlsTunnel> {
    const { address, family } = await lookup(server.host, { order: 'ipv4first' });
    return new DtlsTunnel(await NearEnd.open(), { address, family, port: server.port }, psk, log);
  }

  get port(): number {
    return this.#near.port;
  }

  /** Ends the session with a close_notify alert and closes the port. */
  async close(): Promise<void> {
    if (this.#session?.open) this.#session.socket.close();
    this.#session = null;
    await this.#near.close();
  }

  #send(datagram: Buffer): void {
    this.#session ??= this.#connect();
    if (this.#session.open) this.#session.socket.send(datagram);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(datagram);
  }

  #connect(): Session {
    const { address, family, port } = this.#server;
    const socket = dtls.createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      address,
      port,
      // node-dtls-client converts strings to bytes as latin1.
      psk: { [Buffer.from(this.#psk.identity).toString('latin1')]: Buffer.from(this.#psk.key).toString('latin1') },
      timeout: HANDSHAKE_MS,
    });
    const session: Session = { socket, open: false };
    const end = (why: string): void => {
      session.open = false;
      if (this.#session !== session) return;
      this.#session = null;
      this.#waiting = [];
      this.#log(`DTLS session ended: ${why}`);
    };
    socket.on('connected', () => {
      session.open = true;
      this.#log('opened a DTLS session');
      for (const datagram of this.#waiting.splice(0)) socket.send(datagram);
    });
    socket.on('message', (datagram: Buffer) => {
      if (this.#session === session) this.#near.send(datagram);
    });
    socket.on('error', (error: Error) => end(error.message));
    socket.on('close', () => end('closed by the server'));
    return session;
  }
}
