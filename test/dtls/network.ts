import type { Clock } from '../../src/clock.ts';
import type { Address } from '../../src/dtls/address.ts';
import type { CertificateVerdict, CredentialSource } from '../../src/dtls/credential-source.ts';
import { DtlsEngine } from '../../src/dtls/engine.ts';
import type { HandshakeReport } from '../../src/dtls/handshake-report.ts';
import type { EndReason } from '../../src/dtls/metrics.ts';
import type { Peer } from '../../src/dtls/session.ts';
import { DEFAULT_LIMITS, DEFAULT_SETTINGS, type DtlsLimits, type DtlsSettings } from '../../src/dtls/settings.ts';
import { ManualClock } from '../manual-clock.ts';
import { randomBytes } from 'node:crypto';
import { Client, type ClientOptions } from './client.ts';

export const PSK = { identity: 'client1', key: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex') };

/** A datagram in transit. */
export interface Delivery {
  readonly toServer: boolean;
  readonly address: Address;
  readonly datagram: Buffer;
}

/** Returns the delay of each copy of a datagram in milliseconds. An empty list means that the datagram is lost. */
export type Weather = (delivery: Delivery) => readonly number[];

/** The engine, its devices, a manual clock, and a network that a test controls. */
export class World {
  readonly clock = new ManualClock();
  readonly engine: DtlsEngine;
  readonly reports: HandshakeReport[] = [];
  readonly received: { readonly peer: Peer; readonly data: Buffer }[] = [];
  readonly ended: { readonly peer: Peer; readonly reason: EndReason }[] = [];
  readonly alarms: number[] = [];
  /** All sent datagrams, also those that were lost. */
  readonly sent: Delivery[] = [];
  weather: Weather = () => [0];
  /** When true, the server answers each message with a copy of it. */
  echo = false;
  /** A test that puts CoAP on top replaces these. */
  onReceived: (peer: Peer, data: Buffer) => void = () => {};
  onArrived: (peer: Peer, formerKey: string | null) => void = () => {};
  onEnded: (peer: Peer) => void = () => {};
  readonly #clients = new Map<string, Client>();
  #nextPort = 40_000;

  constructor(
    options: {
      readonly settings?: Partial<DtlsSettings>;
      readonly limits?: Partial<DtlsLimits>;
      readonly credentials?: Partial<CredentialSource>;
    } = {},
  ) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.engine = new DtlsEngine({
      settings: { ...DEFAULT_SETTINGS, ...options.settings, limits },
      credentials: { ...defaultCredentials, ...options.credentials },
      clock: this.clock,
      random: randomBytes,
      events: {
        transmit: (address, datagram) => this.#carry({ toServer: false, address, datagram }),
        received: (peer, data) => {
          this.received.push({ peer, data: Buffer.from(data) });
          this.onReceived(peer, data);
          if (this.echo) this.engine.send(peer.key, data);
        },
        arrived: (peer, formerKey) => this.onArrived(peer, formerKey),
        ended: (peer, reason) => {
          this.ended.push({ peer, reason });
          this.onEnded(peer);
        },
        handshakeEnded: (report) => void this.reports.push(report),
        alarmed: (_peer, forgeries) => void this.alarms.push(forgeries),
      },
    });
  }

  address(host = '192.0.2.1', port = this.#nextPort++): Address {
    return { address: host, port, socket: 0 };
  }

  /** Makes a device at an address. It does not start its handshake. */
  client(options: Partial<ClientOptions> = {}, address = this.address()): Client {
    const client = new Client({
      clock: this.clock,
      suites: ['TLS_PSK_WITH_AES_128_CCM_8'],
      psk: PSK,
      transmit: (datagram) => this.carry(this.addressOf(client), datagram),
      ...options,
    });
    this.place(client, address);
    return client;
  }

  /** Makes a device and gives it time to finish its handshake. */
  async connected(options: Partial<ClientOptions> = {}, address = this.address()): Promise<Client> {
    const client = this.client(options, address);
    client.start();
    await this.clock.advance(10);
    return client;
  }

  /** Moves a device to an address: the device sends and receives there. */
  place(client: Client, address: Address): void {
    for (const [key, placed] of this.#clients) if (placed === client) this.#clients.delete(key);
    this.#clients.set(keyOf(address), client);
    this.#addresses.set(client, address);
  }

  addressOf(client: Client): Address {
    const address = this.#addresses.get(client);
    if (!address) throw new Error('the client has no address');
    return address;
  }

  /** Sends a datagram to the server with the source `address`. */
  carry(address: Address, datagram: Buffer): void {
    this.#carry({ toServer: true, address, datagram });
  }

  async say(client: Client, text: string): Promise<void> {
    client.send(Buffer.from(text));
    await this.clock.advance(1);
  }

  /** Returns what the server received, as text. */
  heard(): string[] {
    return this.received.map(({ data }) => data.toString());
  }

  readonly #addresses = new Map<Client, Address>();

  #carry(delivery: Delivery): void {
    this.sent.push(delivery);
    for (const delay of this.weather(delivery)) this.clock.after(delay, () => this.#deliver(delivery));
  }

  #deliver({ toServer, address, datagram }: Delivery): void {
    if (toServer) this.engine.receive(address, datagram);
    else this.#clients.get(keyOf(address))?.receive(datagram);
  }
}

/** With the given probability, a datagram is lost, duplicated or late (and so out of order). */
export function badWeather(probability: number, random: () => number): Weather {
  return () => {
    if (random() >= probability) return [0];
    const mishap = random();
    if (mishap < 1 / 3) return [];
    const late = 1 + Math.floor(random() * 2_500);
    return mishap < 2 / 3 ? [0, late] : [late];
  };
}

/** Returns reproducible numbers from 0 to 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const defaultCredentials: CredentialSource = {
  psk: async (identity) =>
    Buffer.from(identity).toString() === PSK.identity ? { key: PSK.key, credential: 'psk-1' } : null,
  rawPublicKey: async () => null,
  certificate: async (): Promise<CertificateVerdict> => ({ refused: 'unknown_ca', reason: 'no anchors' }),
};

function keyOf({ address, port }: Address): string {
  return `${address}|${port}`;
}

export type { Clock };
