import { createHash } from 'node:crypto';
import { PendingResponse } from './pending-response.ts';
import { blockOption, LARGEST_OPTION, readBlock, type Block } from './block.ts';
import { codes, methodOf } from './code.ts';
import { AcknowledgementTimer } from './acknowledgement-timer.ts';
import type { RecentMessage } from './deduplication.ts';
import type { IncomingRequest, Method, OutgoingResponse, RequestHandler } from './endpoint.ts';
import type { CoapLimits } from './limits.ts';
import type { MessageLayer } from './message-layer.ts';
import { fits, fittingBlock } from './message-limits.ts';
import { copyOf, NO_BYTES, type Message, type MessageOption } from './message.ts';
import { optionNumbers, readRequestOptions, stringOption, uintOption, type RequestOptions } from './option.ts';
import type { PeerState } from './peer.ts';
import { serveBlock, servedBody, ServedBodies, type ServedBody } from './served-body.ts';
import { Uploads } from './upload.ts';

/** A request on its way to a handler and back. */
interface Handling {
  readonly pending: PendingResponse;
  readonly method: Method;
  readonly options: RequestOptions;
  readonly block1: Block | null;
  readonly block2: Block | null;
}

/** The server side of RFC 7252 §5: passes each request to the handler and sends the handler's response. */
export class Responder {
  readonly uploads: Uploads;
  readonly served: ServedBodies;
  handler: RequestHandler = notImplemented;
  readonly #messages: MessageLayer;
  readonly #limits: CoapLimits;
  readonly #onHandlerError: (error: unknown) => void;
  readonly #acknowledgementTimer: AcknowledgementTimer;
  /** Called when the last running handler has finished. */
  #onIdle: (() => void) | null = null;

  constructor(
    messages: MessageLayer,
    limits: CoapLimits,
    bodyLifetimeMs: number,
    onHandlerError: (error: unknown) => void,
  ) {
    this.#messages = messages;
    this.#limits = limits;
    this.#onHandlerError = onHandlerError;
    this.#acknowledgementTimer = new AcknowledgementTimer(messages);
    this.uploads = new Uploads(limits, bodyLifetimeMs);
    this.served = new ServedBodies(limits, bodyLifetimeMs);
  }

  /** Processes a request that is not a duplicate. */
  take(state: PeerState, message: Message, recent: RecentMessage): void {
    const pending = new PendingResponse(this.#messages, state, message, recent);
    const options = readRequestOptions(message.options);
    if ('unrecognized' in options) {
      // RFC 7252 §5.4.1: answer 4.02 to a confirmable request; reject a non-confirmable one by ignoring it (§4.3).
      if (pending.confirmable) pending.respond(codes.badOption);
      else {
        this.#messages.counters.dropped['critical option']++;
        pending.ignore();
      }
      return;
    }
    pending.noResponse = options.noResponse;
    const method = methodOf(message.code);
    if (method === null) return pending.respond(codes.methodNotAllowed);
    if (options.proxied) return pending.respond(codes.proxyingNotSupported);

    const block1 = options.block1 === null ? null : readBlock(options.block1);
    const block2 = options.block2 === null ? null : readBlock(options.block2);
    // RFC 7959 §2.2: the reserved SZX 7 is answered 4.00.
    if ((options.block1 !== null && !block1) || (options.block2 !== null && !block2)) {
      return pending.respond(codes.badRequest);
    }
    const handling = { pending, method, options, block1, block2 };
    const now = this.#messages.clock.now();

    if (block2 && block2.number > 0) {
      const served = this.served.get(bodyKey(handling), now);
      if (served) return this.#respondBlock(handling, served, block2.number * block2.size, block2.size);
      // Only safe methods run again for a further block: a POST would take effect twice.
      if (method !== 'GET' && method !== 'FETCH') return pending.respond(codes.requestEntityIncomplete);
    }
    if (!block1) return this.#handle(handling, copyOf(message.payload));
    const step = this.uploads.take(bodyKey(handling), state, block1, options, message.payload, now);
    if (step.whole) this.#handle(handling, step.payload);
    else pending.respond(step.code, step.options);
  }

  close(): void {
    this.#acknowledgementTimer.close();
  }

  /** Calls `idle` as soon as no handler runs, possibly immediately. */
  onceIdle(idle: () => void): void {
    if (this.#messages.counters.answering === 0) idle();
    else this.#onIdle = idle;
  }

  #handle(handling: Handling, payload: Uint8Array): void {
    const { counters } = this.#messages;
    const { pending, method, options } = handling;
    if (counters.answering >= this.#limits.answering) return pending.respond(codes.serviceUnavailable);
    const { state, confirmable } = pending;
    const { path, query, contentFormat, accept, observe } = options;
    const request: IncomingRequest = {
      peer: state.peer,
      method,
      path,
      query,
      contentFormat,
      accept,
      observe,
      confirmable,
      // Only a Send needs it.
      get message() {
        return pending.message;
      },
      payload,
    };
    counters.answering++;
    state.answering++;
    this.#acknowledgementTimer.begin(pending);
    void this.#run(request, handling);
  }

  /** Never rejects. */
  async #run(request: IncomingRequest, handling: Handling): Promise<void> {
    const { pending } = handling;
    try {
      const response = await this.handler(request);
      this.#respond(handling, response);
      response.onSent?.();
    } catch (error) {
      this.#onHandlerError(error);
      if (!pending.settled) pending.respond(codes.internalServerError);
    } finally {
      this.#acknowledgementTimer.end(pending);
      pending.state.answering--;
      if (--this.#messages.counters.answering === 0) this.#onIdle?.();
    }
  }

  #respond(handling: Handling, response: OutgoingResponse): void {
    const { pending, block1, block2 } = handling;
    const options = responseOptions(response);
    const payload = response.payload ?? NO_BYTES;
    const largest = this.#messages.parametersOf(pending.state).blockSize;
    const size = Math.min(block2?.size ?? largest, largest);
    const number = block2?.number ?? 0;
    // RFC 7959 §2.3: the final response acknowledges the last block.
    const all = block1 ? [...options, blockOption(optionNumbers.block1, block1)] : options;
    // A peer that requests a block reads blocks, whatever it announced.
    const blockwise = this.#messages.limitsOf(pending.state).blockwise || block2 !== null;
    const small = !blockwise || payload.length <= size;
    if (small && number === 0 && fits(payload.length, pending.roomFor(all))) {
      return pending.respond(response.code, all, payload);
    }
    if (!blockwise) return this.#refuse(handling, payload.length);
    const body = servedBody(response.code, options, payload);
    // Copy it, because the handler may reuse its buffer.
    const kept = { ...body, payload: copyOf(payload) };
    this.served.keep(bodyKey(handling), pending.state, kept, this.#messages.clock.now());
    this.#respondBlock(handling, body, number * (block2?.size ?? size), size);
  }

  /** RFC 7959 §2.3: a block smaller than requested keeps the offset, so its number is larger. */
  #respondBlock(handling: Handling, body: ServedBody, offset: number, largest: number): void {
    const { pending, block1 } = handling;
    const echo = block1 ? [blockOption(optionNumbers.block1, block1)] : [];
    const options = [...body.options, LARGEST_OPTION, uintOption(optionNumbers.size2, body.payload.length), ...echo];
    const size = fittingBlock(largest, pending.roomFor(options));
    if (size === null) return this.#refuse(handling, body.payload.length);
    const block = serveBlock(body, offset / size, size);
    if (!block) return pending.respond(codes.badRequest);
    pending.respond(body.code, [...block.options, ...echo], block.payload);
  }

  /** The response fits neither in one message nor in blocks that the peer accepts. */
  #refuse({ pending }: Handling, bytes: number): void {
    const { messageBytes } = this.#messages.limitsOf(pending.state);
    const text = `the response of ${bytes} bytes does not fit in messages of ${messageBytes} bytes without block-wise`;
    const reason = Buffer.from(text);
    const room = pending.roomFor([]);
    pending.respond(codes.internalServerError, [], fits(reason.length, room) ? reason : NO_BYTES);
  }
}

/** A longer key of a body is kept as a hash: a request may have a path of 64 KiB. */
const LONGEST_KEY = 256;

/** Identifies the body of a block-wise transfer: all its blocks have the same key. */
function bodyKey({ pending, method, options }: Handling): string {
  const { path, query, requestTag } = options;
  const tag = requestTag && Buffer.from(requestTag).toString('hex');
  const key = JSON.stringify([pending.state.peer.key, method, path, query, tag]);
  return key.length <= LONGEST_KEY ? key : createHash('sha256').update(key).digest('base64');
}

function responseOptions({ contentFormat, locationPath, maxAge }: OutgoingResponse): MessageOption[] {
  const options: MessageOption[] = [];
  for (const segment of locationPath ?? []) options.push(stringOption(optionNumbers.locationPath, segment));
  if (contentFormat !== undefined) options.push(uintOption(optionNumbers.contentFormat, contentFormat));
  if (maxAge !== undefined) options.push(uintOption(optionNumbers.maxAge, maxAge));
  return options;
}

async function notImplemented(): Promise<OutgoingResponse> {
  return { code: codes.notImplemented };
}
