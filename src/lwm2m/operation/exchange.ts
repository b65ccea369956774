import type { Clock } from '../../clock.ts';
import {
  CoapError,
  codes,
  type CoapEndpoint,
  type IncomingResponse,
  type OutgoingRequest,
  type Peer,
} from '../../coap/index.ts';
import { Lwm2mError } from '../error.ts';
import type { RequestVariant } from './request.ts';
import { rememberRefused, type FormatUse } from './refused-formats.ts';
import type { QueueMode } from '../queue-mode.ts';
import type { RegisteredDevice } from '../registered-device.ts';

/** RFC 7252 §4.8.2; here the limit for the wait until the server may send the request. */
const EXCHANGE_LIFETIME_MS = 247_000;

/** The device and the options that all requests of one operation share. */
export interface OperationExchange {
  readonly device: RegisteredDevice;
  /** Aborted when the caller cancels or the registration ends. */
  readonly signal: AbortSignal;
  /** True when the signal was aborted because the time of the operation is over. */
  readonly isLate: () => boolean;
  readonly timeoutMs: number | undefined;
  readonly onSent: () => void;
  readonly onDelivered: () => void;
}

/** Sends one request, or starts one observation. */
export type Sending<Answer> = (
  to: { readonly endpoint: CoapEndpoint; readonly peer: Peer },
  request: OutgoingRequest,
  variant: RequestVariant,
) => Promise<Answer>;

/** Sends requests to devices when they may receive them, tries one content format after the other, and maps errors. */
export class Exchanges {
  readonly #clock: Clock;
  readonly #queue: QueueMode;
  readonly #heard: (device: RegisteredDevice) => void;

  constructor(clock: Clock, queue: QueueMode, heard: (device: RegisteredDevice) => void) {
    this.#clock = clock;
    this.#queue = queue;
    this.#heard = heard;
  }

  /**
   * Sends one variant after the other until the device accepts the content format. Remembers those that it refused until
   * its registration ends. Rejects with Lwm2mError UNREACHABLE, NOT_REGISTERED, TIMEOUT, CANCELLED, BAD_ANSWER,
   * INVALID_ARGUMENT or LIMIT.
   */
  async ask<Answer extends { readonly response: IncomingResponse }>(
    exchange: OperationExchange,
    variants: Iterator<RequestVariant, void>,
    send: Sending<Answer>,
  ): Promise<{ readonly answer: Answer; readonly variant: RequestVariant }> {
    // Encodes the first variant before any wait: an invalid operation is rejected in every state of the device.
    let next = variants.next();
    const refused: FormatUse[] = [];
    for (;;) {
      if (next.done === true)
        throw new Lwm2mError('INVALID_ARGUMENT', 'no content format can carry this operation to the device');
      const variant = next.value;
      const answer = await this.converse(exchange, (to, options) =>
        send(to, { ...variant.request, ...options }, variant),
      );
      if (!refusesFormat(answer.response)) {
        rememberRefused(exchange.device, refused, variant.use);
        return { answer, variant };
      }
      refused.push(variant.use);
      next = variants.next();
      if (next.done === true) return { answer, variant };
    }
  }

  /** Sends one request when the device may receive it, and waits for the response. Rejects like `ask`. */
  async converse<Answer>(
    { device, signal, isLate, timeoutMs, onSent, onDelivered }: OperationExchange,
    send: (
      to: { readonly endpoint: CoapEndpoint; readonly peer: Peer },
      options: Pick<OutgoingRequest, 'signal' | 'timeoutMs' | 'onSent' | 'onAcknowledged'>,
    ) => Promise<Answer>,
  ): Promise<Answer> {
    await this.#opened(device, signal, timeoutMs ?? EXCHANGE_LIFETIME_MS);
    if (device.ended) throw ended();
    if (signal.aborted) throw isLate() ? late() : cancelled();
    if (!device.connected) throw unconnected();
    if (this.#queue.isAsleep(device)) throw new Lwm2mError('UNREACHABLE', 'the device sleeps; nothing was sent');
    let sent = false;
    let askedAt = 0;
    try {
      const to = { endpoint: device.reachedBy.endpoint, peer: device.registration.peer };
      const answer = await send(to, {
        signal,
        onSent: () => {
          if (!sent) askedAt = this.#queue.asked(device);
          sent = true;
          onSent();
        },
        onAcknowledged: () => {
          this.#queue.answered(device);
          this.#heard(device);
          onDelivered();
        },
        ...(timeoutMs !== undefined && { timeoutMs }),
      });
      this.#queue.answered(device);
      this.#heard(device);
      return answer;
    } catch (error) {
      if (sent) this.#queue.unanswered(device, askedAt);
      // Core 1.2 §6.5: the server assumes that a device that does not answer is asleep.
      const silent = (error instanceof CoapError && error.code === 'TIMEOUT') || (sent && isLate());
      if (silent) this.#queue.silent(device);
      if (isLate() && !device.ended) throw late(error);
      if (!sent && !device.ended && error instanceof CoapError && error.code === 'CLOSED') throw unconnected(error);
      throw device.ended ? ended(error) : lwm2mError(error);
    }
  }

  /** The server sends no request to a device before the response to its Register (Core 1.2 §6.2.1). */
  async #opened(device: RegisteredDevice, signal: AbortSignal, timeoutMs: number): Promise<void> {
    if (device.open || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(timeoutMs, resolve);
      const proceed = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', proceed);
        resolve();
      };
      signal.addEventListener('abort', proceed);
      device.whenOpen(proceed);
    });
    if (!device.open && !signal.aborted)
      throw new Lwm2mError('TIMEOUT', 'the response to the Register was not sent in time');
  }
}

/** 4.06 refuses the Accept option, 4.15 the Content-Format; some devices confuse the two. */
function refusesFormat({ code }: IncomingResponse): boolean {
  return code === codes.notAcceptable || code === codes.unsupportedContentFormat;
}

function lwm2mError(error: unknown): unknown {
  if (!(error instanceof CoapError)) return error;
  switch (error.code) {
    case 'TIMEOUT':
      return new Lwm2mError('TIMEOUT', error.message, { cause: error });
    case 'CLOSED':
      return new Lwm2mError('DISCONNECTED', 'the connection of the device ended before it answered', { cause: error });
    case 'CANCELLED':
      return cancelled(error);
    case 'LIMIT':
      return new Lwm2mError('LIMIT', error.message, { cause: error });
    case 'INVALID':
    case 'TOO_LARGE':
      return new Lwm2mError('INVALID_ARGUMENT', error.message, { cause: error });
    default:
      return new Lwm2mError('BAD_ANSWER', error.message, { cause: error });
  }
}

function unconnected(cause?: unknown): Lwm2mError {
  return new Lwm2mError('UNREACHABLE', 'the connection of the device has ended; nothing was sent', { cause });
}

/** The time of the operation is over: the request was not sent, or has no response yet. */
export function late(cause?: unknown): Lwm2mError {
  return new Lwm2mError('TIMEOUT', 'the time of the operation is over', { cause });
}

export function cancelled(cause?: unknown): Lwm2mError {
  return new Lwm2mError('CANCELLED', 'the operation was cancelled', { cause });
}

function ended(cause?: unknown): Lwm2mError {
  return new Lwm2mError('NOT_REGISTERED', 'the registration ended before the device answered', { cause });
}
