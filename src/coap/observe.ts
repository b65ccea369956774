import { isWhole, readWhole, sendWhole, wholeResponse } from './blockwise.ts';
import { isSuccess } from './code.ts';
import type { Delivery } from './delivery.ts';
import type { IncomingResponse, NotificationHandler, Observation, OutgoingRequest } from './endpoint.ts';
import { CoapError } from './error.ts';
import { append, without } from './list.ts';
import { copyOf, type Message } from './message.ts';
import { ClientRequest, type Reply, type RequestLayer } from './client-request.ts';
import { readResponseOptions } from './option.ts';
import type { PeerActivity, PeerState } from './peer.ts';
import { TokenHolder } from './token.ts';

/** After which a notification counts as newer whatever its number (RFC 7641 §3.4). */
const SEQUENCE_LIFETIME_MS = 128_000;
const HALF_SEQUENCE = 2 ** 23;

/** RFC 7641 §3.4: 24-bit numbers that wrap around, compared within half their range and within 128 s. */
export function isNewer(
  previous: { readonly sequence: number; readonly at: number },
  next: { readonly sequence: number; readonly at: number },
): boolean {
  const [v1, v2] = [previous.sequence, next.sequence];
  return (
    (v1 < v2 && v2 - v1 < HALF_SEQUENCE) ||
    (v1 > v2 && v1 - v2 > HALF_SEQUENCE) ||
    next.at > previous.at + SEQUENCE_LIFETIME_MS
  );
}

/** An observation of ours at a peer, from the response that began it to the one that ends it (RFC 7641 §3). */
export class ClientObservation extends TokenHolder implements Observation, PeerActivity {
  state: PeerState;
  readonly #layer: RequestLayer;
  readonly #request: OutgoingRequest;
  readonly #onNotification: NotificationHandler;
  /** Of the newest notification that was taken; null before the first after a restart of ours. */
  #sequence: number | null = null;
  #at = 0;
  #running = true;
  /** Reads the further blocks of the newest notification. */
  #reading: ClientRequest | null = null;

  constructor(layer: RequestLayer, state: PeerState, request: OutgoingRequest, onNotification: NotificationHandler) {
    super();
    this.#layer = layer;
    this.state = state;
    const { method, path, query, contentFormat, accept, payload } = request;
    // Without the caller's signal and listeners: they were for the request that began it.
    this.#request = {
      method,
      path,
      ...(query && { query }),
      ...(contentFormat !== undefined && { contentFormat }),
      ...(accept !== undefined && { accept }),
      ...(payload && { payload }),
    };
    this.#onNotification = onNotification;
  }

  /** Takes the token of the request that started it, and the order from its response. */
  begin(clientRequest: ClientRequest, sequence: number): void {
    this.#sequence = sequence;
    this.#at = this.#layer.messages.clock.now();
    this.#layer.tokens.replace(clientRequest, this);
    this.#attach();
  }

  /** Takes the token of an earlier run. Throws CoapError INVALID or LIMIT. */
  resume(token: Uint8Array): void {
    const { tokens, limits } = this.#layer;
    if (tokens.size >= limits.tokens) throw new CoapError('LIMIT', 'too many requests and observations are active');
    if (!tokens.addAt(this, token)) {
      throw new CoapError(
        'INVALID',
        `the token ${Buffer.from(token).toString('hex')} is in use or does not have 8 bytes`,
      );
    }
    this.#attach();
  }

  get peer(): Observation['peer'] {
    return this.state.peer;
  }

  async cancel(
    options: Pick<OutgoingRequest, 'timeoutMs' | 'signal' | 'onSent' | 'onAcknowledged'> = {},
  ): Promise<IncomingResponse> {
    if (!this.#running) throw new CoapError('CANCELLED', 'the observation has ended');
    this.#detach();
    try {
      // From here on its token waits for the answer; a notification still under way is acknowledged and dropped.
      const clientRequest = new ClientRequest(this.#layer, this.state, { ...this.#request, ...options }, 1, this);
      try {
        const first = await sendWhole(clientRequest);
        if (isWhole(first)) return wholeResponse(first, first.payload);
        return await readRest(this.#layer, this.state, this.#request, first);
      } finally {
        clientRequest.close();
      }
    } finally {
      this.#layer.tokens.remove(this);
    }
  }

  forget(): void {
    this.#detach();
    this.#layer.tokens.remove(this);
  }

  /** A session that ends says nothing of the observation: the device may take it along to its next one (`movePeer`). */
  end(error: CoapError): void {
    this.#reading?.end(error);
  }

  onPiggybacked(): void {
    this.#layer.messages.counters.dropped.unmatched++;
  }

  onSeparate(message: Message, delivery: Delivery): void {
    const options = readResponseOptions(message.options);
    if ('unrecognized' in options) {
      delivery.reject();
      return;
    }
    const { messages } = this.#layer;
    const now = messages.clock.now();
    // RFC 7641 §3.2: an error, or a response without Observe, is the last that the peer sends.
    const final = !isSuccess(message.code) || options.observe === null;
    const before = { sequence: this.#sequence, at: this.#at };
    if (options.observe !== null && !final) {
      const next = { sequence: options.observe, at: now };
      if (before.sequence !== null && !isNewer({ sequence: before.sequence, at: before.at }, next)) {
        messages.counters.staleNotifications++;
        delivery.acknowledge();
        return;
      }
      this.#sequence = next.sequence;
      this.#at = next.at;
    }
    const reply: Reply = { code: message.code, options, payload: copyOf(message.payload) };
    void this.#take(reply, final, delivery, before);
  }

  /** Never rejects. */
  async #take(
    reply: Reply,
    final: boolean,
    delivery: Delivery,
    before: { readonly sequence: number | null; readonly at: number },
  ): Promise<void> {
    const taken = this.#sequence;
    // RFC 7641 §3.4 with RFC 7959 §2.6: what was being read of the older state is of no use any more.
    this.#reading?.end(new CoapError('CANCELLED', 'a newer notification arrived'));
    try {
      const whole = await this.#whole(reply);
      await this.#onNotification({ ...whole, final });
      if (final) this.forget();
      delivery.acknowledge();
    } catch (error) {
      if (this.#sequence !== taken) {
        // A newer one was taken meanwhile, which says all that this one said; a repetition would be stale.
        delivery.acknowledge();
        return;
      }
      // What the notification carried is not stored, so it is not acknowledged, and not remembered either: the peer
      // repeats it (RFC 7252 §4.2), and the repetition must find the door open.
      this.#sequence = before.sequence;
      this.#at = before.at;
      delivery.forget();
      this.#layer.onHandlerError(error);
    }
  }

  /** A notification holds the first block at most; the others are read by a GET of their own, without Observe. */
  async #whole(reply: Reply): Promise<IncomingResponse> {
    if (isWhole(reply)) return wholeResponse(reply, reply.payload);
    const clientRequest = new ClientRequest(this.#layer, this.state, this.#request);
    this.#reading = clientRequest;
    try {
      return await readWhole(this.#layer, clientRequest, reply);
    } finally {
      if (this.#reading === clientRequest) this.#reading = null;
      clientRequest.close();
    }
  }

  #attach(): void {
    this.state.observations = append(this.state.observations, this);
    this.#layer.messages.counters.observations++;
  }

  #detach(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#reading?.end(new CoapError('CANCELLED', 'the observation has ended'));
    this.state.observations = without(this.state.observations, this);
    this.#layer.messages.counters.observations--;
  }
}

/** Asks to observe; resolves when the response is whole, and notifications may have come before that. */
export async function startObserving(
  layer: RequestLayer,
  state: PeerState,
  request: OutgoingRequest,
  onNotification: NotificationHandler,
): Promise<{ readonly response: IncomingResponse; readonly observation: Observation | null }> {
  if (request.method !== 'GET' && request.method !== 'FETCH') {
    throw new CoapError('INVALID', `${request.method} can't start an observation, use GET or FETCH`);
  }
  const clientRequest = new ClientRequest(layer, state, request, 0);
  let observation: ClientObservation | null = null;
  let first: Reply;
  try {
    first = await sendWhole(clientRequest);
    if (isSuccess(first.code) && first.options.observe !== null) {
      observation = new ClientObservation(layer, clientRequest.state, request, onNotification);
      observation.begin(clientRequest, first.options.observe);
    }
    if (isWhole(first)) return { response: wholeResponse(first, first.payload), observation };
  } catch (error) {
    observation?.forget();
    throw error;
  } finally {
    clientRequest.close();
  }
  try {
    return { response: await readRest(layer, clientRequest.state, request, first), observation };
  } catch (error) {
    observation?.forget();
    throw error;
  }
}

/** RFC 7959 §2.6: the further blocks are asked for without Observe, under another token. */
async function readRest(
  layer: RequestLayer,
  state: PeerState,
  request: OutgoingRequest,
  first: Reply,
): Promise<IncomingResponse> {
  const clientRequest = new ClientRequest(layer, state, request);
  try {
    return await readWhole(layer, clientRequest, first);
  } finally {
    clientRequest.close();
  }
}
