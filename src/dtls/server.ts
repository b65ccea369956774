import { createSocket, type Socket } from 'node:dgram';
import { type AddressInfo, isIPv6 } from 'node:net';

import { type Clock, systemClock } from '../clock.ts';
import type { Address } from './address.ts';
import type { CredentialSource } from './credential-source.ts';
import { DtlsEngine } from './engine.ts';
import { DtlsError } from './error.ts';
import type { HandshakeReport } from './handshake-report.ts';
import type { DtlsMetrics } from './metrics.ts';
import { randomInBlocks } from './random.ts';
import { type Restored, restoreSessions, saveSessions } from './saved-sessions.ts';
import type { Peer } from './session.ts';
import { checked, DEFAULT_SETTINGS, type DtlsSettings } from './settings.ts';

const RECEIVE_BUFFER = 4 * 1024 * 1024;

export interface DtlsServerOptions {
  /** IP addresses to listen on. `::` alone includes IPv4. */
  readonly hosts: readonly string[];
  /** 0 selects a free port. */
  readonly port: number;
  readonly credentials: CredentialSource;
  readonly settings?: Partial<DtlsSettings>;
  readonly clock?: Clock;
  /** Called for each handshake that ended, established or failed. */
  readonly onHandshake?: (report: HandshakeReport) => void;
  /** Called when many forged records of this session were rejected. */
  readonly onAlarm?: (peer: Peer, forgeries: number) => void;
  /**
   * The result of an earlier server's `suspend`, and its key. Sessions with a credential that is no longer
   * valid are not restored.
   */
  readonly saved?: { readonly sessions: Uint8Array; readonly key: Uint8Array };
}

/** A DTLS 1.2 server over UDP (RFC 6347). It satisfies the interface `Transport` of src/coap. */
export class DtlsServer {
  readonly kind = 'dtls';
  readonly #sockets: Socket[] = [];
  readonly #engine: DtlsEngine;
  readonly #clock: Clock;
  #receive: (peer: Peer, datagram: Uint8Array) => void = () => {};
  #gone: (peer: Peer) => void = () => {};
  #arrived: (peer: Peer, formerKey: string | null) => void = () => {};
  #isOpen = true;
  #restored: Restored = { restored: 0, refused: 0 };

  private constructor(options: DtlsServerOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#engine = new DtlsEngine({
      settings: checked({ ...DEFAULT_SETTINGS, ...options.settings }),
      credentials: options.credentials,
      clock: this.#clock,
      random: randomInBlocks(),
      events: {
        transmit: (to, datagram) => this.#transmit(to, datagram),
        received: (peer, data) => this.#receive(peer, data),
        arrived: (peer, formerKey) => this.#arrived(peer, formerKey),
        ended: (peer) => this.#gone(peer),
        handshakeEnded: (report) => options.onHandshake?.(report),
        alarmed: (peer, forgeries) => options.onAlarm?.(peer, forgeries),
      },
    });
  }

  /**
   * Rejects with DtlsError `settings` when an address can't be bound, `saved_sessions` when `saved` can't be restored.
   */
  static async bind(options: DtlsServerOptions): Promise<DtlsServer> {
    const server = new DtlsServer(options);
    const { saved } = options;
    if (saved !== undefined) {
      server.#restored = await restoreSessions(server.#engine, saved.sessions, saved.key, server.#clock);
    }
    try {
      for (const host of options.hosts) await server.#listen(host, options);
    } catch (cause) {
      await server.#closeSockets();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DtlsError('settings', `can't listen on ${options.hosts.join(', ')}: ${reason}`, { cause });
    }
    return server;
  }

  /** The bound addresses, in the order of `hosts`. */
  get addresses(): readonly AddressInfo[] {
    return this.#sockets.map((socket) => socket.address());
  }

  /** How many saved sessions were restored and refused. */
  get restored(): Restored {
    return this.#restored;
  }

  get metrics(): DtlsMetrics {
    return this.#engine.metrics;
  }

  reaches(peer: { readonly key: string }): boolean {
    return this.#isOpen && this.#engine.sessions.has(peer.key);
  }

  /** The longest message in bytes that a record to the peer may contain (RFC 6066 §4, RFC 7925 §14). */
  limitsOf(peer: { readonly key: string }): { readonly messageBytes: number; readonly blockwise: true } {
    const messageBytes = this.#engine.sessions.get(peer.key)?.longestMessage ?? Infinity;
    return { messageBytes, blockwise: true };
  }

  send(peer: { readonly key: string }, datagram: Uint8Array): void {
    if (this.#isOpen) this.#engine.send(peer.key, asBuffer(datagram));
  }

  onDatagram(receive: (peer: Peer, datagram: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onPeerGone(gone: (peer: Peer) => void): void {
    this.#gone = gone;
  }

  /** Sets the listener for new sessions and new addresses of sessions, see `arrived` of SessionEvents. */
  onPeerArrived(arrived: (peer: Peer, formerKey: string | null) => void): void {
    this.#arrived = arrived;
  }

  /** Ends the sessions of a credential. Call this when the credential is revoked or rotated. */
  endSessions(credential: string): void {
    this.#engine.endSessions(credential);
  }

  /** Ends the sessions of certificates that are no longer valid. Call this when a certificate or a CA is revoked. */
  recheckCertificates(): Promise<void> {
    return this.#engine.recheckCertificates();
  }

  /** Sends close_notify in every session and closes the sockets. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#engine.shutDown();
    this.#isOpen = false;
    await this.#closeSockets();
  }

  /**
   * Closes the sockets without alerts and without calls of `onPeerGone`. Returns the sessions, sealed with `key` (32
   * bytes), for the next server's `saved`. Use the result once: two servers that continue from the same state would use
   * the same nonces. Rejects with DtlsError `saved_sessions` when the key has another length.
   */
  async suspend(key: Uint8Array): Promise<Buffer> {
    // Stop sending first: the next server would use the sequence number of a later record again.
    this.#isOpen = false;
    this.#engine.suspend();
    try {
      return saveSessions(this.#engine, key, this.#clock.now());
    } finally {
      await this.#closeSockets();
    }
  }

  async #closeSockets(): Promise<void> {
    await Promise.all(this.#sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  #transmit(to: Address, datagram: Buffer): void {
    try {
      // Without a callback, Node ignores a failure to send, as intended here.
      this.#sockets[to.socket]?.send(datagram, to.port, to.address);
    } catch {
      // Node throws when the address is not usable. A datagram may be lost.
    }
  }

  async #listen(host: string, { hosts, port }: DtlsServerOptions): Promise<void> {
    const ipv6 = isIPv6(host);
    const index = this.#sockets.length;
    const socket = createSocket({
      type: ipv6 ? 'udp6' : 'udp4',
      ipv6Only: ipv6 && hosts.some((other) => !isIPv6(other)),
      recvBufferSize: RECEIVE_BUFFER,
      // Addresses are numeric. Without a DNS look-up, a datagram is sent at once, so the last ones leave before the
      // socket closes.
      lookup: (address, _options, found) => found(null, address, ipv6 ? 6 : 4),
    });
    const wanted = port === 0 && index > 0 ? (this.#sockets[0]?.address().port ?? 0) : port;
    this.#sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address: host, port: wanted, exclusive: true }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    // An ICMP error or a full send buffer affects only one datagram.
    socket.on('error', ignoreLoss);
    socket.on('message', (datagram, from) => {
      // The server can't send to port 0; such a source address is forged.
      if (from.port !== 0) this.#engine.receive({ address: from.address, port: from.port, socket: index }, datagram);
    });
  }
}

function ignoreLoss(): void {}

function asBuffer(bytes: Uint8Array): Buffer {
  if (bytes instanceof Buffer) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
