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

/** After this time a notification counts as newer, whatever its sequence number is (RFC 7641 §3.4). */
const SEQUENCE_LIFETIME_MS = 128_000;
const HALF_SEQUENCE = 2 ** 23;

/**
 * RFC 7641 §3.4: sequence numbers have 24 bits and wrap around; they are compared within half their range and within
 * 128 s.
 */
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

/** An observation of a peer's resource, from the response that starts it to the one that ends it (RFC 7641 §3). */
export class ClientObservation extends TokenHolder implements Observation, PeerActivity {
  state: PeerState;
  rejected = false;
  readonly #layer: RequestLayer;
  readonly #request: OutgoingRequest;
  readonly #onNotification: NotificationHandler;
  /** The sequence number of the newest accepted notification; null after `resume`, before the first one. */
  #sequence: number | null = null;
  #at = 0;
  #running = true;
  /** The request that reads the further blocks of the newest notification. */
  #reading: ClientRequest | null = null;

  constructor(layer: RequestLayer, state: PeerState, request: OutgoingRequest, onNotification: NotificationHandler) {
    super();
    this.#layer = layer;
    this.state = state;
    const { method, path, query, contentFormat, accept, payload } = request;
    // The caller's signal and listeners are left out: they are for the first request only.
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

  /** Takes over the token of the request that started the observation, and the sequence number of its response. */
  begin(clientRequest: ClientRequest, sequence: number): void {
    this.#sequence = sequence;
    this.#at = this.#layer.messages.clock.now();
    this.#layer.tokens.replace(clientRequest, this);
    this.#attach();
  }

  /** Continues an observation of an earlier run with its token. Throws CoapError INVALID or LIMIT. */
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
      // From here the token belongs to the cancellation; a notification still on its way is acknowledged and dropped.
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

  /** The end of a session does not end the observation: the device may continue it in its next session (`movePeer`). */
  end(error: CoapError): void {
    this.#reading?.end(error);
  }

  override onRejected(): void {
    this.rejected = true;
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
    this.rejected = false;
    const { messages } = this.#layer;
    const now = messages.clock.now();
    // RFC 7641 §3.2: an error response, or a response without Observe, ends the observation.
    const final = !isSuccess(message.code) || options.observe === null;
    const before = { sequence: this.#sequence, at: this.#at };
    if (options.observe !== null && !final) {
      const next = { sequence: options.observe, at: now };
      if (before.sequence !== null && !isNewer({ sequence: before.sequence, at: before.at }, next)) {
        messages.counters.staleNotifications++;
        const reply: Reply = { code: message.code, options, payload: copyOf(message.payload) };
        void this.#takeLate(reply, messages.nameOf(message), delivery);
        return;
      }
      this.#sequence = next.sequence;
      this.#at = next.at;
    }
    const reply: Reply = { code: message.code, options, payload: copyOf(message.payload) };
    void this.#take(reply, messages.nameOf(message), final, delivery, before);
  }

  /** Never rejects. */
  async #take(
    reply: Reply,
    message: string | null,
    final: boolean,
    delivery: Delivery,
    before: { readonly sequence: number | null; readonly at: number },
  ): Promise<void> {
    const taken = this.#sequence;
    // RFC 7641 §3.4, RFC 7959 §2.6: stop reading the blocks of an older notification.
    this.#reading?.end(new CoapError('CANCELLED', 'a newer notification arrived'));
    try {
      const whole = await this.#whole(reply);
      await this.#onNotification({ ...whole, final, olderThan: null, message });
      if (final) this.forget();
      delivery.acknowledge();
    } catch (error) {
      const superseded = this.#sequence !== taken;
      if (superseded && !isWhole(reply)) {
        // RFC 7959 §2.6: its further blocks can't be read any more, also not after a retransmission.
        delivery.acknowledge();
        return;
      }
      // The notification was not stored. It is neither acknowledged nor recorded, so that the peer retransmits it
      // (RFC 7252 §4.2) and the retransmission is accepted: as late when a newer one was accepted meanwhile.
      if (!superseded) {
        this.#sequence = before.sequence;
        this.#at = before.at;
      }
      delivery.forget();
      this.#layer.onHandlerError(error);
    }
  }

  /**
   * Takes a notification that is older than the newest: not the state of the resource, but a reading. Never rejects.
   * RFC 7959 §2.6: the further blocks of an older notification can't be read, so that one is dropped.
   */
  async #takeLate(reply: Reply, message: string | null, delivery: Delivery): Promise<void> {
    const olderThan = this.#at;
    try {
      if (isWhole(reply)) {
        await this.#onNotification({ ...wholeResponse(reply, reply.payload), final: false, olderThan, message });
      }
      delivery.acknowledge();
    } catch (error) {
      delivery.forget();
      this.#layer.onHandlerError(error);
    }
  }

  /** RFC 7959 §2.6: a notification has the first block at most; separate requests without Observe read the others. */
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

/** Starts an observation. Resolves with the whole response; notifications may arrive before that. */
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

/** RFC 7959 §2.6: requests the further blocks without Observe, under another token. */
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
