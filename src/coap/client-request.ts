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
import { optionNumbers, readResponseOptions, stringOption, uintOption, type ResponseOptions } from './option.ts';
import type { PeerState, WaitingRequest } from './peer.ts';
import { TokenHolder, type TokenTable } from './token.ts';
import type { Transmission } from './transmission.ts';
import { startOrWait, startOrWaitFirst, endInteraction, withdraw } from './outstanding.ts';

/** What requests of ours share. */
export interface RequestLayer {
  readonly messages: MessageLayer;
  readonly tokens: TokenTable;
  readonly downloads: ByteBudget;
  readonly limits: CoapLimits;
  /** A caller's handler or listener failed, or a notification could not be read. */
  readonly onHandlerError: (error: unknown) => void;
}

/** One response message; its payload, a copy, may be one block of a body. */
export interface Reply {
  readonly code: Code;
  readonly options: ResponseOptions;
  readonly payload: Uint8Array;
}

/** What a request ends with that had its response: nobody sees it, so one is enough for all. */
const ENDED = new CoapError('CANCELLED', 'the request has ended');

/** The request message that is waiting for its turn or its response. */
interface PendingMessage {
  readonly datagramFor: (messageId: number) => Uint8Array;
  /** The peer has the whole request body with it: the turn ends with its acknowledgement. */
  readonly complete: boolean;
  /** Where in the response the block that is asked for begins. */
  readonly offset: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: CoapError) => void;
  messageId: number;
  transmission: Transmission | null;
  responseTimer: Timer | null;
  outstandingTimer: Timer | null;
}

/**
 * One request of ours under one token, message after message when its body goes in blocks: it waits for the peer's
 * turn, sends, and matches the responses by peer and token (RFC 7252 §5.3.2).
 */
export class ClientRequest extends TokenHolder implements WaitingRequest {
  state: PeerState;
  readonly #layer: RequestLayer;
  readonly #request: OutgoingRequest;
  readonly #options: readonly MessageOption[];
  /** RFC 7641 §3.6: a notification under way must not be taken for the answer to the cancellation. */
  readonly #cancelsObservation: boolean;
  readonly #onAbort = (): void => this.end(new CoapError('CANCELLED', 'the request was cancelled'));
  #pending: PendingMessage | null = null;
  #outstanding = false;
  #sent = false;
  #acknowledged = false;
  #error: CoapError | null = null;

  /** Throws CoapError INVALID, LIMIT or CANCELLED. `observe` is the option's value; 1 cancels what `replaced` observes. */
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

  /** GET and FETCH can be begun again: they change nothing. */
  get isSafe(): boolean {
    return this.#request.method === 'GET' || this.#request.method === 'FETCH';
  }

  /** Sends the body whole, or one block of it; `complete` says that no more of it follows. */
  send(block: readonly MessageOption[], payload: Uint8Array, complete: boolean): Promise<Reply> {
    return this.#exchange(block, payload, complete, 0);
  }

  /** Asks for a block of the response (RFC 7959 §2.4): only a FETCH says again what it asks for. */
  sendForBlock(block: Block): Promise<Reply> {
    const body = this.#request.payload ?? NO_BYTES;
    const repeated = this.#request.method === 'FETCH' && body.length <= this.blockSize;
    const offset = block.number * block.size;
    return this.#exchange([blockOption(optionNumbers.block2, block)], repeated ? body : NO_BYTES, true, offset);
  }

  get body(): Uint8Array {
    return this.#request.payload ?? NO_BYTES;
  }

  start(): void {
    this.#outstanding = true;
    this.#transmit();
  }

  onPiggybacked(message: Message): void {
    // Only the message that waits can be acknowledged: a late copy of an earlier block's answer is none of ours.
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
      // RFC 7252 §5.4.1: the message is rejected; a NON stays unanswered and so does the request.
      delivery.reject();
      if (waits && message.type === 'CON') this.#refuse(options.unrecognized);
      return;
    }
    delivery.acknowledge();
    if (this.#cancelsObservation && options.observe !== null) return;
    if (waits) this.#resolve(message, options);
  }

  /** Ends it with an error, whatever it is at. Does nothing when it has ended. */
  end(error: CoapError): void {
    this.#error ??= error;
    const pending = this.#pending;
    if (!pending) return;
    this.#clear(true);
    pending.reject(error);
  }

  /** Gives the token and the turn back. To be called once, however it went. */
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
    const { ackTimeoutMs, exchangeLifetimeMs } = messages.parametersOf(this.state);
    const messageId = this.state.takeMessageId();
    const datagram = pending.datagramFor(messageId);
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
      // RFC 7252 §4.7 leaves open when a client stops to expect a response to a NON; the others need not wait for more.
      pending.outstandingTimer = messages.clock.after(ackTimeoutMs, () => this.#endInteraction());
      messages.send(this.state, datagram);
    }
    if (!this.#sent) {
      this.#sent = true;
      this.#tell(this.#request.onSent);
    }
  }

  #acknowledge(): void {
    const pending = this.#pending;
    if (!pending) return;
    pending.transmission?.cancel();
    if (!pending.complete) return;
    if (!this.#acknowledged) {
      this.#acknowledged = true;
      this.#tell(this.#request.onAcknowledged);
    }
    // RFC 7252 §4.7: a request that is acknowledged is outstanding no longer, even if its response is yet to come.
    this.#endInteraction();
  }

  #resolve(message: Message, options: ResponseOptions): void {
    const pending = this.#pending;
    if (!pending) return;
    const block = options.block2 === null ? null : readBlock(options.block2);
    // A second answer to the request for an earlier block, which a peer may give to a NON.
    if (block && block.number * block.size < pending.offset) return;
    this.#clear(pending.complete);
    pending.resolve({ code: message.code, options, payload: copyOf(message.payload) });
  }

  /** A caller's mistake must not break what runs here. */
  #tell(listener: (() => void) | undefined): void {
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

  /** Stops all that runs for the message at hand. */
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
