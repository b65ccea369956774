import {
  createCoapEndpoint,
  udpPeer,
  type CoapEndpointOptions,
  type Peer,
  type Transport,
} from '../../src/coap/index.ts';
import { decode, encode, encodeEmpty, NO_BYTES, type Message } from '../../src/coap/message.ts';
import { ManualClock } from '../manual-clock.ts';
import { nothing } from './reading.ts';

export interface NetworkConditions {
  /** 0 … 1: the share of datagrams that is lost, and the share that arrives twice. */
  readonly loss: number;
  readonly duplication: number;
  /** The delay of each datagram is between these, so that a later one may arrive first. */
  readonly delayMs: readonly [least: number, most: number];
}

const PERFECT: NetworkConditions = { loss: 0, duplication: 0, delayMs: [1, 1] };

/** Pseudo-random numbers, the same in each run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A transport whose sessions with peers the test ends: nothing is sent in an ended session. */
export interface SimulatedTransport extends Transport {
  peerGone(peer: Peer): void;
  /** As `peerGone`, but the CoAP endpoint learns of it only when it sends. */
  endsSilently(peer: Peer): void;
}

/**
 * A simulated network with its own clock. It loses, duplicates, delays and reorders datagrams depending on its seed.
 */
export class SimulatedNetwork {
  readonly clock = new ManualClock();
  conditions: NetworkConditions;
  /** All datagrams that were sent, including lost ones. */
  readonly datagrams: { readonly from: string; readonly to: string; readonly bytes: Uint8Array }[] = [];
  readonly #random: () => number;
  /** A restarted endpoint begins with another message ID, as a real one does. */
  #seed = 7;
  readonly #receivers = new Map<string, (peer: Peer, datagram: Uint8Array) => void>();

  constructor(conditions: Partial<NetworkConditions> = {}, seed = 1) {
    this.conditions = { ...PERFECT, ...conditions };
    this.#random = seededRandom(seed);
  }

  /** The transport of the host with this address, on port 5683. */
  transport(address: string): SimulatedTransport {
    const self = udpPeer(address, 5683);
    let gone: (peer: Peer) => void = nothing;
    const ended = new Set<string>();
    return {
      kind: 'udp',
      reaches: (peer) => !ended.has(peer.key),
      send: (peer, datagram) => {
        if (!ended.has(peer.key)) this.#carry(self, peer, new Uint8Array(datagram));
      },
      onDatagram: (receive) => void this.#receivers.set(self.key, receive),
      onPeerGone: (listener) => {
        gone = listener;
      },
      endsSilently: (peer) => void ended.add(peer.key),
      peerGone: (peer) => {
        ended.add(peer.key);
        gone(peer);
      },
      close: async () => void this.#receivers.delete(self.key),
    };
  }

  endpoint(address: string, options: Partial<CoapEndpointOptions> = {}): ReturnType<typeof createCoapEndpoint> {
    const transport = this.transport(address);
    return createCoapEndpoint({ transport, clock: this.clock, random: seededRandom(this.#seed++), ...options });
  }

  /** The messages that one address sent to the other. */
  messages(from: string, to: string): Message[] {
    const [source, target] = [udpPeer(from, 5683).key, udpPeer(to, 5683).key];
    return this.datagrams
      .filter((datagram) => datagram.from === source && datagram.to === target)
      .map(({ bytes }) => decoded(bytes));
  }

  /** Overwrites the datagram after the call, like a transport that reads into one buffer. */
  #deliver(from: Peer, to: Peer, bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes);
    this.#receivers.get(to.key)?.(from, buffer);
    buffer.fill(0);
  }

  #carry(from: Peer, to: Peer, bytes: Uint8Array): void {
    this.datagrams.push({ from: from.key, to: to.key, bytes });
    const { loss, duplication, delayMs } = this.conditions;
    if (this.#random() < loss) return;
    const copies = this.#random() < duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delay = delayMs[0] + this.#random() * (delayMs[1] - delayMs[0]);
      this.clock.after(delay, () => this.#deliver(from, to, bytes));
    }
  }
}

/** A peer whose messages the test sends one by one. */
export class ScriptedPeer {
  readonly peer: Peer;
  /** Every received datagram, decoded. */
  readonly received: Message[] = [];
  /** Called with each message as it arrives. */
  onMessage: (message: Message) => void = nothing;
  readonly #transport: Transport;
  readonly #server: Peer;

  constructor(network: SimulatedNetwork, address: string, server: string) {
    this.peer = udpPeer(address, 5683);
    this.#server = udpPeer(server, 5683);
    this.#transport = network.transport(address);
    this.#transport.onDatagram((_peer, datagram) => {
      const message = decoded(new Uint8Array(datagram));
      this.received.push(message);
      this.onMessage(message);
    });
  }

  send(message: Partial<Message> & Pick<Message, 'type' | 'code' | 'messageId'>): void {
    this.sendBytes(encode({ token: NO_BYTES, options: [], payload: NO_BYTES, ...message }));
  }

  sendEmpty(type: 'ACK' | 'RST', messageId: number): void {
    this.sendBytes(encodeEmpty(type, messageId));
  }

  sendBytes(datagram: Uint8Array): void {
    this.#transport.send(this.#server, datagram);
  }

  /** Sends a piggybacked response. */
  piggyback(request: Message, reply: Pick<Message, 'code'> & Partial<Message>): void {
    this.send({ type: 'ACK', messageId: request.messageId, token: request.token, ...reply });
  }
}

export function decoded(datagram: Uint8Array): Message {
  const result = decode(datagram);
  if (!result.ok) throw new Error(`not a CoAP message (${result.reason}): ${Buffer.from(datagram).toString('hex')}`);
  return result.message;
}
