import { systemClock, type Clock, type Timer } from '../clock.ts';
import { readWhole, sendWhole } from './blockwise.ts';
import { ByteBudget } from './budget.ts';
import { codeClass } from './code.ts';
import { Delivery } from './delivery.ts';
import type {
  CoapEndpoint,
  IncomingResponse,
  NotificationHandler,
  Observation,
  ObserveResult,
  OutgoingRequest,
  RequestHandler,
} from './endpoint.ts';
import { CoapError } from './error.ts';
import { defaultLimits, type CoapLimits } from './limits.ts';
import { MessageLayer } from './message-layer.ts';
import { copyOf, decode, encodeEmpty, type Message } from './message.ts';
import type { CoapMetrics } from './metrics.ts';
import { ClientObservation, startObserving } from './observe.ts';
import { ClientRequest, type RequestLayer } from './client-request.ts';
import { transmissionParameters, type TransmissionParameters } from './parameters.ts';
import type { PeerState } from './peer.ts';
import { Responder } from './responder.ts';
import { StartGate } from './start-gate.ts';
import { TokenTable, type TokenHolder } from './token.ts';
import type { Peer, Transport } from './transport.ts';

export interface CoapEndpointOptions {
  readonly transport: Transport;
  readonly clock?: Clock;
  /** 0 ≤ n < 1, for retransmission timeouts and first message IDs. Tokens do not use it. */
  readonly random?: () => number;
  /** The parameters of a peer, as made by `transmissionParameters`. It is called often: look up, do not compute. */
  readonly parameters?: (peer: Peer) => TransmissionParameters;
  readonly limits?: Partial<CoapLimits>;
  /** True: messages, sessions and ends of sessions are held until `open` is called. Default false. */
  readonly held?: boolean;
  /**
   * Receives what a request or notification handler threw, and why a notification could not be read. Must not throw.
   */
  readonly onHandlerError?: (error: unknown) => void;
}

/** The interval at which idle peers and abandoned bodies are removed. */
const SWEEP_MS = 15_000;
/** The interval when the last sweep did not finish. */
const NEXT_SWEEP_MS = 500;
/** How long `close` waits for running handlers. */
const DRAIN_MS = 2_000;

const RFC_PARAMETERS = transmissionParameters();

export function createCoapEndpoint(options: CoapEndpointOptions): CoapEndpoint {
  return new CoapEngine(options);
}

class CoapEngine implements CoapEndpoint {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #messages: MessageLayer;
  readonly #requests: RequestLayer;
  readonly #responder: Responder;
  readonly #gate: StartGate;
  #sweepTimer: Timer | null = null;
  #closing: Promise<void> | null = null;
  #arrived: (peer: Peer, formerKey: string | null) => void = () => {};
  #gone: (peer: Peer) => void = () => {};

  constructor({
    transport,
    clock = systemClock,
    random = Math.random,
    parameters = () => RFC_PARAMETERS,
    limits: some = {},
    held = false,
    onHandlerError = () => {},
  }: CoapEndpointOptions) {
    const limits = { ...defaultLimits, ...some };
    const idlePeerMs = RFC_PARAMETERS.exchangeLifetimeMs;
    this.#transport = transport;
    this.#clock = clock;
    this.#messages = new MessageLayer({ transport, clock, random, parameters, limits, idlePeerMs });
    const { counters } = this.#messages;
    const onFailure = (error: unknown): void => {
      counters.handlerErrors++;
      onHandlerError(error);
    };
    this.#requests = {
      messages: this.#messages,
      tokens: new TokenTable(limits.tokens),
      downloads: new ByteBudget(limits.downloadBytes),
      limits,
      onHandlerError: onFailure,
    };
    this.#responder = new Responder(this.#messages, limits, idlePeerMs, onFailure);
    this.#gate = new StartGate(held, limits.heldBytes);
    transport.onDatagram((peer, datagram) => this.#arrive(peer, datagram));
    transport.onPeerGone((peer) => this.#gate.session(() => this.#onPeerGone(peer)));
    transport.onPeerArrived?.((peer, formerKey) => this.#gate.session(() => this.#onPeerArrived(peer, formerKey)));
  }

  open(): void {
    this.#gate.open();
  }

  onRequest(handler: RequestHandler): void {
    this.#responder.handler = handler;
  }

  async request(peer: Peer, request: OutgoingRequest): Promise<IncomingResponse> {
    const clientRequest = new ClientRequest(this.#requests, this.#obtain(peer), request);
    try {
      return await readWhole(this.#requests, clientRequest, await sendWhole(clientRequest));
    } finally {
      clientRequest.close();
    }
  }

  async observe(peer: Peer, request: OutgoingRequest, onNotification: NotificationHandler): Promise<ObserveResult> {
    return startObserving(this.#requests, this.#obtain(peer), request, onNotification);
  }

  resumeObservation(
    peer: Peer,
    token: Uint8Array,
    request: OutgoingRequest,
    onNotification: NotificationHandler,
  ): Observation {
    const observation = new ClientObservation(this.#requests, this.#obtain(peer), request, onNotification);
    observation.resume(token);
    return observation;
  }

  movePeer(from: Peer, to: Peer): void {
    const state = this.#messages.peers.get(from.key);
    if (state && from.key !== to.key) this.#messages.peers.move(state, to, this.#clock.now());
  }

  hasten(peer: Peer): void {
    for (const transmission of this.#messages.peers.get(peer.key)?.transmissions ?? []) transmission.hasten();
  }

  onPeerArrived(arrived: (peer: Peer, formerKey: string | null) => void): void {
    this.#arrived = arrived;
  }

  onPeerGone(gone: (peer: Peer) => void): void {
    this.#gone = gone;
  }

  metrics(): CoapMetrics {
    const { counters, peers, replies } = this.#messages;
    return {
      ...counters,
      dropped: { ...counters.dropped },
      peers: peers.size,
      evictedPeers: peers.evicted,
      evictedBodies: this.#responder.uploads.evicted + this.#responder.served.evicted,
      bodyBytes: this.#responder.uploads.bytes + this.#responder.served.bytes + this.#requests.downloads.used,
      replyBytes: replies.used,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = new CoapError('CLOSED', 'the endpoint is closed');
    for (const state of this.#messages.peers) endActivities(state, closed);
    // Running handlers may finish, so that their peers get a response.
    await this.#drained();
    this.#sweepTimer?.cancel();
    this.#responder.close();
    for (const state of this.#messages.peers) {
      endActivities(state, closed);
      while (state.transmissions[0]) state.transmissions[0].cancel();
    }
    await this.#transport.close();
  }

  /** Resolves when no handler runs, or after DRAIN_MS. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(DRAIN_MS, resolve);
      this.#responder.onceIdle(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #obtain(peer: Peer): PeerState {
    if (this.#closing) throw new CoapError('CLOSED', 'the endpoint is closed');
    const state = this.#messages.peers.obtain(peer, this.#clock.now());
    if (!state) throw new CoapError('LIMIT', `the peer table is full (${this.#messages.peers.size} peers)`);
    this.#keepSweeping();
    return state;
  }

  #arrive(peer: Peer, datagram: Uint8Array): void {
    const { counters } = this.#messages;
    counters.received++;
    if (!this.#gate.holds) return this.#receive(peer, datagram);
    const copy = copyOf(datagram);
    if (!this.#gate.holdMessage(copy.length, () => this.#receive(peer, copy))) counters.dropped.full++;
  }

  #receive(peer: Peer, datagram: Uint8Array): void {
    const { counters } = this.#messages;
    const decoded = decode(datagram);
    if (!decoded.ok) {
      counters.dropped.malformed++;
      // RFC 7252 §4.2: a confirmable message that can't be processed is rejected; the others are ignored (§4.3).
      if (decoded.type === 'CON') this.#reset(peer, decoded.messageId);
      return;
    }
    const { message } = decoded;
    const { type, code } = message;
    const kind = codeClass(code);
    if (code === 0) this.#onEmpty(peer, message);
    else if (kind === 0 && (type === 'CON' || type === 'NON')) this.#onRequest(peer, message);
    else if ((kind === 2 || kind === 4 || kind === 5) && type === 'ACK') this.#onPiggybacked(peer, message);
    else if ((kind === 2 || kind === 4 || kind === 5) && type !== 'RST') this.#onSeparate(peer, message);
    else {
      // RFC 7252 §4.2: the code class is reserved, a request is in an acknowledgement, or a Reset is not empty.
      counters.dropped.unexpected++;
      if (type === 'CON') this.#reset(peer, message.messageId);
    }
  }

  #onEmpty(peer: Peer, { type, messageId }: Message): void {
    const { counters, peers } = this.#messages;
    // RFC 7252 §4.3: an Empty confirmable message is a ping; the response to it is a Reset.
    if (type === 'CON') return this.#reset(peer, messageId);
    const state = type === 'NON' ? undefined : peers.get(peer.key);
    const transmission = state && this.#messages.transmissionOf(state, messageId);
    if (!transmission) {
      counters.dropped[type === 'NON' ? 'unexpected' : 'unmatched']++;
      return;
    }
    if (type === 'ACK') transmission.acknowledge();
    else transmission.reset();
  }

  #onRequest(peer: Peer, message: Message): void {
    const { counters, peers } = this.#messages;
    // The peer retransmits the request, and the process that replaces this one answers it.
    if (this.#closing) {
      counters.dropped.closing++;
      return;
    }
    const state = peers.obtain(peer, this.#clock.now());
    if (!state) {
      counters.dropped.full++;
      return;
    }
    this.#keepSweeping();
    const recent = this.#messages.begin(state, message);
    if (recent) this.#responder.take(state, message, recent);
  }

  #onPiggybacked(peer: Peer, message: Message): void {
    const holder = this.#requests.tokens.find(message.token);
    if (holder?.state.peer.key !== peer.key) {
      this.#messages.counters.dropped.unmatched++;
      return;
    }
    this.#messages.peers.prove(holder.state);
    holder.onPiggybacked(message);
  }

  #onSeparate(peer: Peer, message: Message): void {
    const holder = this.#requests.tokens.find(message.token);
    if (holder?.state.peer.key !== peer.key) {
      this.#onUnmatched(peer, message, holder);
      return;
    }
    const { state } = holder;
    this.#messages.peers.touch(state, this.#clock.now());
    this.#messages.peers.prove(state);
    const recent = this.#messages.begin(state, message);
    if (recent) holder.onSeparate(message, new Delivery(this.#messages, state, message, recent));
  }

  #onUnmatched(peer: Peer, message: Message, holder: TokenHolder | null): void {
    const { counters, peers } = this.#messages;
    // The response is a duplicate of one that was processed, and its token has been freed since.
    const recent = peers.get(peer.key)?.recent?.find(message.messageId, this.#clock.now());
    if (recent) {
      counters.duplicates++;
      if (recent.reply && message.type === 'CON') this.#messages.sendTo(peer, recent.reply);
      return;
    }
    if (holder) {
      // An attacker can't guess the token, so the sender is a device whose address changed and whose Update is still on
      // its way. Until then the message is not trusted. RFC 7252 §4.2: a confirmable one is acknowledged or rejected.
      counters.dropped['strange peer']++;
      if (message.type !== 'CON') return;
      holder.onRejected();
      return this.#reset(peer, message.messageId);
    }
    counters.dropped.unmatched++;
    // RFC 7641 §3.6: a Reset to a notification without an observation, CON or NON, makes the peer stop.
    this.#reset(peer, message.messageId);
  }

  #reset(peer: Peer, messageId: number): void {
    this.#messages.sendTo(peer, encodeEmpty('RST', messageId));
  }

  #onPeerGone(peer: Peer): void {
    const state = this.#messages.peers.get(peer.key);
    if (state) endActivities(state, new CoapError('CLOSED', `the session of ${peer.address}:${peer.port} has ended`));
    this.#gone(peer);
  }

  #onPeerArrived(peer: Peer, formerKey: string | null): void {
    const state = formerKey === null ? undefined : this.#messages.peers.get(formerKey);
    if (state && formerKey === peer.key) state.peer = peer;
    else if (state) this.#messages.peers.move(state, peer, this.#clock.now());
    this.#arrived(peer, formerKey);
  }

  #keepSweeping(afterMs = SWEEP_MS): void {
    this.#sweepTimer ??= this.#clock.after(afterMs, () => {
      const now = this.#clock.now();
      const more = this.#messages.peers.sweep(now);
      this.#responder.uploads.sweep(now);
      this.#responder.served.sweep(now);
      this.#sweepTimer = null;
      if (this.#messages.peers.size > 0) this.#keepSweeping(more ? NEXT_SWEEP_MS : SWEEP_MS);
    });
  }
}

function endActivities(state: PeerState, error: CoapError): void {
  // Empty the queue first: otherwise the end of one request would start the next.
  state.waiting = [];
  for (const activity of [...state.requests, ...state.observations]) activity.end(error);
}
