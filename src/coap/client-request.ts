import type { Timer } from '../clock.ts';
import { blockOption, readBlock, type Block } from './block.ts';
import type { ByteBudget } from './budget.ts';
import { methodCode } from './code.ts';
import type { Delivery } from './delivery.ts';
import type { Code, OutgoingRequest } from './endpoint.ts';
import { CoapError } from './error.ts';
import type { CoapLimits } from './limits.ts';
import { append, without } from './list.ts';
import type { MessageLayer } from './message-layer.ts';
import { copyOf, encode, NO_BYTES, type Message, type MessageOption } from './message.ts';
import { fits, roomFor } from './message-limits.ts';
import { optionNumbers, readResponseOptions, stringOption, uintOption, type ResponseOptions } from './option.ts';
import type { PeerState, WaitingRequest } from './peer.ts';
import { TokenHolder, type TokenTable } from './token.ts';
import type { MessageLimits, Peer } from './transport.ts';
import type { Transmission } from './transmission.ts';
import { startOrWait, startOrWaitFirst, endInteraction, withdraw } from './outstanding.ts';

/** What all client requests of an endpoint share. */
export interface RequestLayer {
  readonly messages: MessageLayer;
  readonly tokens: TokenTable;
  readonly downloads: ByteBudget;
  readonly limits: CoapLimits;
  /** Called when a handler or listener of the caller throws, or when a notification can't be read. */
  readonly onHandlerError: (error: unknown) => void;
}

/** One response message. Its payload is a copy, and may be one block of a body. */
export interface Reply {
  readonly code: Code;
  readonly options: ResponseOptions;
  readonly payload: Uint8Array;
}

/** The error of a request that ends after its response. No caller receives it, so all requests share one. */
const ENDED = new CoapError('CANCELLED', 'the request has ended');

/** The request message that waits to be sent, or was sent and has no response yet. */
interface PendingMessage {
  readonly datagramFor: (messageId: number) => Uint8Array;
  /** True for the last message of the request body: its acknowledgement ends the outstanding interaction. */
  readonly complete: boolean;
  /** The offset of the requested block in the response body. */
  readonly offset: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: CoapError) => void;
  messageId: number;
  transmission: Transmission | null;
  responseTimer: Timer | null;
  outstandingTimer: Timer | null;
}

/**
 * A request to a peer under one token; with block-wise transfer it is several messages. It waits while NSTART
 * interactions are outstanding, sends each message, and matches responses by peer and token (RFC 7252 §5.3.2).
 */
export class ClientRequest extends TokenHolder implements WaitingRequest {
  state: PeerState;
  readonly #layer: RequestLayer;
  readonly #request: OutgoingRequest;
  readonly #options: readonly MessageOption[];
  /** RFC 7641 §3.6: a notification that is still on its way is not the response to the cancellation. */
  readonly #cancelsObservation: boolean;
  readonly #onAbort = (): void => this.end(new CoapError('CANCELLED', 'the request was cancelled'));
  #pending: PendingMessage | null = null;
  #outstanding = false;
  #sent = false;
  #acknowledged = false;
  #error: CoapError | null = null;

  /**
   * Throws CoapError INVALID, LIMIT or CANCELLED. `observe` is the option's value; 1 cancels the observation
   * `replaced`.
   */
  constructor(
    layer: RequestLayer,
    state: PeerState,
    request: OutgoingRequest,
    observe: 0 | 1 | null = null,
    replaced: TokenHolder | null = null,
  ) {
    super();
    this.#layer = layer;
    this.state = state;
    this.#request = request;
    this.#options = requestOptions(request, observe);
    this.#cancelsObservation = observe === 1;
    if (request.signal?.aborted) throw new CoapError('CANCELLED', 'the request was cancelled');
    if (state.waiting.length >= layer.limits.waitingPerPeer) {
      throw new CoapError('LIMIT', `too many requests (${state.waiting.length}) wait for ${state.peer.key}`);
    }
    if (replaced) layer.tokens.replace(replaced, this);
    else if (!layer.tokens.add(this)) throw new CoapError('LIMIT', 'too many requests and observations are active');
    state.requests = append(state.requests, this);
    layer.messages.counters.operations++;
    request.signal?.addEventListener('abort', this.#onAbort);
  }

  get blockSize(): number {
    return this.#layer.messages.parametersOf(this.state).blockSize;
  }

  get limits(): MessageLimits {
    return this.#layer.messages.limitsOf(this.state);
  }

  /** The bytes that a message with these further options leaves for a payload and its marker, see `roomFor`. */
  roomFor(extra: readonly MessageOption[]): number {
    return roomFor(this.limits, this.token, [...this.#options, ...extra]);
  }

  /** True when the body may be sent in one message that also has these options. */
  sendsWhole(extra: readonly MessageOption[]): boolean {
    const { length } = this.body;
    return fits(length, this.roomFor(extra)) && (length <= this.blockSize || !this.limits.blockwise);
  }

  /** GET and FETCH change nothing (RFC 7252 §5.1, RFC 8132 §2), so they may be repeated. */
  get isSafe(): boolean {
    return this.#request.method === 'GET' || this.#request.method === 'FETCH';
  }

  /** Sends the whole body or one block of it. `complete` is true when no further block follows. */
  send(block: readonly MessageOption[], payload: Uint8Array, complete: boolean): Promise<Reply> {
    return this.#exchange(block, payload, complete, 0);
  }

  /** Requests a block of the response (RFC 7959 §2.4). Only a FETCH sends its body again. */
  sendForBlock(block: Block): Promise<Reply> {
    const options = [blockOption(optionNumbers.block2, block)];
    const repeated = this.#request.method === 'FETCH' && this.sendsWhole(options);
    return this.#exchange(options, repeated ? this.body : NO_BYTES, true, block.number * block.size);
  }

  get body(): Uint8Array {
    return this.#request.payload ?? NO_BYTES;
  }

  start(): void {
    this.#outstanding = true;
    this.#transmit();
  }

  onPiggybacked(message: Message): void {
    // The acknowledgement must be for the pending message, not a late duplicate for an earlier block.
    if (this.#pending?.messageId !== message.messageId) {
      this.#layer.messages.counters.dropped.unmatched++;
      return;
    }
    this.#acknowledge();
    const options = readResponseOptions(message.options);
    if ('unrecognized' in options) this.#refuse(options.unrecognized);
    else this.#resolve(message, options);
  }

  onSeparate(message: Message, delivery: Delivery): void {
    const options = readResponseOptions(message.options);
    const waits = this.#pending !== null && this.#pending.messageId >= 0;
    if ('unrecognized' in options) {
      // RFC 7252 §5.4.1: reject the message. If it is a NON, the request goes on waiting for a response.
      delivery.reject();
      if (waits && message.type === 'CON') this.#refuse(options.unrecognized);
      return;
    }
    delivery.acknowledge();
    if (this.#cancelsObservation && options.observe !== null) return;
    if (waits) this.#resolve(message, options);
  }

  /** Ends the request with an error. Does nothing when it has already ended. */
  end(error: CoapError): void {
    this.#error ??= error;
    const pending = this.#pending;
    if (!pending) return;
    this.#clear(true);
    pending.reject(error);
  }

  /** Frees the token and the outstanding interaction. Call it once, after success and after failure. */
  close(): void {
    this.end(ENDED);
    this.#endInteraction();
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#layer.tokens.remove(this);
    this.state.requests = without(this.state.requests, this);
    this.#layer.messages.counters.operations--;
  }

  #exchange(extra: readonly MessageOption[], payload: Uint8Array, complete: boolean, offset: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#error) {
        reject(this.#error);
        return;
      }
      const { confirmable = true, method } = this.#request;
      this.#pending = {
        datagramFor: (messageId) =>
          encode({
            type: confirmable ? 'CON' : 'NON',
            code: methodCode(method),
            messageId,
            token: this.token,
            options: extra.length > 0 ? [...this.#options, ...extra] : this.#options,
            payload,
          }),
        complete,
        offset,
        resolve,
        reject,
        messageId: -1,
        transmission: null,
        responseTimer: null,
        outstandingTimer: null,
      };
      const { nstart } = this.#layer.messages.parametersOf(this.state);
      if (this.#outstanding) this.#transmit();
      else if (this.#sent) startOrWaitFirst(this.state, this, nstart);
      else startOrWait(this.state, this, nstart);
    });
  }

  #transmit(): void {
    const pending = this.#pending;
    if (!pending) {
      this.#endInteraction();
      return;
    }
    const { messages } = this.#layer;
    if (!messages.reaches(this.state)) {
      this.end(new CoapError('CLOSED', `the session of ${this.state.peer.key} has ended`));
      return;
    }
    const { ackTimeoutMs, exchangeLifetimeMs } = messages.parametersOf(this.state);
    const messageId = this.state.takeMessageId();
    const datagram = pending.datagramFor(messageId);
    if (datagram.length > this.limits.messageBytes) {
      this.end(tooLarge(this.state.peer, this.limits, `a message of ${datagram.length} bytes`));
      return;
    }
    pending.messageId = messageId;
    const timeoutMs = this.#request.timeoutMs ?? exchangeLifetimeMs;
    pending.responseTimer = messages.clock.after(timeoutMs, () =>
      this.end(new CoapError('TIMEOUT', `no response from ${this.state.peer.key} in ${timeoutMs} ms`)),
    );
    if (this.#request.confirmable ?? true) {
      pending.transmission = messages.sendConfirmable(this.state, messageId, datagram, {
        acknowledged: () => this.#acknowledge(),
        reset: () => this.end(new CoapError('RESET', `${this.state.peer.key} rejected the request with a Reset`)),
        timedOut: () => this.end(new CoapError('TIMEOUT', `${this.state.peer.key} did not acknowledge the request`)),
      });
    } else {
      // RFC 7252 §4.7 does not say for how long a client expects a response to a NON; after ACK_TIMEOUT the next may
      // start.
      pending.outstandingTimer = messages.clock.after(ackTimeoutMs, () => this.#endInteraction());
      messages.send(this.state, datagram);
    }
    if (!this.#sent) {
      this.#sent = true;
      this.#call(this.#request.onSent);
    }
  }

  #acknowledge(): void {
    const pending = this.#pending;
    if (!pending) return;
    pending.transmission?.cancel();
    if (!pending.complete) return;
    if (!this.#acknowledged) {
      this.#acknowledged = true;
      this.#call(this.#request.onAcknowledged);
    }
    // RFC 7252 §4.7: an acknowledged request is no longer outstanding, even without its response.
    this.#endInteraction();
  }

  #resolve(message: Message, options: ResponseOptions): void {
    const pending = this.#pending;
    if (!pending) return;
    const block = options.block2 === null ? null : readBlock(options.block2);
    // A peer may answer the NON request for an earlier block twice: the second response is ignored. A CON request has
    // one response, because the message ids of its ACK and of a separate response are recognised when they repeat. So
    // another block is what the peer answered.
    const confirmable = this.#request.confirmable ?? true;
    if (!confirmable && block && block.number * block.size < pending.offset) return;
    this.#clear(pending.complete);
    pending.resolve({ code: message.code, options, payload: copyOf(message.payload) });
  }

  /** Catches what the listener throws, so that the request continues. */
  #call(listener: (() => void) | undefined): void {
    try {
      listener?.();
    } catch (error) {
      this.#layer.onHandlerError(error);
    }
  }

  #refuse(option: number): void {
    this.end(
      new CoapError('PROTOCOL', `the response has the critical option ${option}, which is unknown or malformed`),
    );
  }

  /** Stops the timers and retransmissions of the pending message. */
  #clear(endsInteraction: boolean): void {
    const pending = this.#pending;
    this.#pending = null;
    pending?.transmission?.cancel();
    pending?.responseTimer?.cancel();
    pending?.outstandingTimer?.cancel();
    withdraw(this.state, this);
    if (endsInteraction) this.#endInteraction();
  }

  #endInteraction(): void {
    if (!this.#outstanding) return;
    this.#outstanding = false;
    endInteraction(this.state);
  }
}

/** `what` does not fit in a message to the peer. */
export function tooLarge({ key }: Peer, { messageBytes, blockwise }: MessageLimits, what: string): CoapError {
  const blocks = blockwise ? '' : ', and did not announce Block-Wise-Transfer';
  return new CoapError(
    'TOO_LARGE',
    `${what} can't be sent to ${key}: it accepts messages of ${messageBytes} bytes${blocks}`,
  );
}

function requestOptions(request: OutgoingRequest, observe: 0 | 1 | null): readonly MessageOption[] {
  const { path, query, contentFormat, accept } = request;
  const options: MessageOption[] = [];
  if (observe !== null) options.push(uintOption(optionNumbers.observe, observe));
  for (const segment of path) options.push(shortString(optionNumbers.uriPath, segment, 'path segment'));
  if (contentFormat !== undefined) options.push(uint16(optionNumbers.contentFormat, contentFormat, 'Content-Format'));
  for (const argument of query ?? []) options.push(shortString(optionNumbers.uriQuery, argument, 'query argument'));
  if (accept !== undefined) options.push(uint16(optionNumbers.accept, accept, 'Accept'));
  return options;
}

function shortString(number: number, text: string, what: string): MessageOption {
  const option = stringOption(number, text);
  if (option.value.length > 255) {
    throw new CoapError('INVALID', `a ${what} must have at most 255 bytes, not ${option.value.length}`);
  }
  return option;
}

function uint16(number: number, value: number, what: string): MessageOption {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
    throw new CoapError('INVALID', `${what} must be an integer from 0 to 65535, not ${value}`);
  }
  return uintOption(number, value);
}
