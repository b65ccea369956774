import type { Clock } from '../clock.ts';
import {
  formatCode,
  type IncomingNotification,
  type IncomingResponse,
  type NotificationHandler,
  type Observation,
} from '../coap/index.ts';
import { Lwm2mError } from './error.ts';
import type { Lwm2mHandlers } from './handlers.ts';
import { decodeAnswer, hasContent, outsideReason } from './operation/answer.ts';
import { cancelled, late, type OperationExchange, type Exchanges } from './operation/exchange.ts';
import { requestVariants, observeRequest } from './operation/request.ts';
import type { NotificationAttributes, Operation } from './operation/operation.ts';
import type { Path } from './path.ts';
import type { QueueMode } from './queue-mode.ts';
import type { Lwm2mEndpoint, RegisteredDevice, RunningObservation } from './registered-device.ts';
import type { ObservationRecord } from './registration/registration.ts';
import type { DecodedPayload } from './value.ts';

export type ObservationEnd = 'cancelled' | 'refused' | 'registration-ended';

/** The state that the notification handler of one Observe needs. */
interface Observed {
  readonly device: RegisteredDevice;
  readonly paths: readonly Path[];
  readonly expected: number | null;
  /** Null until the device has answered the Observe. */
  running: RunningObservation | null;
  /** The code of the notification that ended the observation: `4.04`. Null while it goes on. */
  over: string | null;
}

export interface ObservationsOptions {
  readonly clock: Clock;
  readonly handlers: Lwm2mHandlers;
  readonly queue: QueueMode;
  readonly exchanges: Exchanges;
  readonly heard: (device: RegisteredDevice) => void;
  /** Receives errors of handlers that no caller awaits. */
  readonly onFault: (error: unknown, message: string) => void;
  /** Registers work that `stop` of the server waits for. Rejects once the server has stopped. */
  readonly handled: <T>(work: () => Promise<T>) => Promise<T>;
  /** Above this number `start` rejects with LIMIT. */
  readonly mostPerDevice: number;
}

/** Identifies an observation by its set of paths; the order does not matter. */
export function observationKey(paths: readonly Path[]): string {
  return [...paths]
    .sort((left, right) => left.compare(right))
    .map(String)
    .join(' ');
}

/**
 * Runs at most one observation per device and set of paths (Core 1.2 §6.4.1). An observation continues after an Update
 * from another address and ends with the registration.
 */
export class Observations {
  readonly #options: ObservationsOptions;
  #count = 0;

  constructor(options: ObservationsOptions) {
    this.#options = options;
  }

  /** The number of running observations of all devices. */
  get count(): number {
    return this.#count;
  }

  /** True when an observation of these paths already runs with these attributes (or none are given). */
  runs(device: RegisteredDevice, paths: readonly Path[], attributes: NotificationAttributes | undefined): boolean {
    const running = device.observations?.get(observationKey(paths));
    return running !== undefined && (attributes === undefined || same(attributes, running.record.attributes));
  }

  running(device: RegisteredDevice, paths: readonly Path[]): RunningObservation | undefined {
    return device.observations?.get(observationKey(paths));
  }

  /**
   * Runs tasks of one device and one set of paths one after the other. Rejects with TIMEOUT or CANCELLED when the
   * exchange ends before its turn.
   */
  async inTurn<T>(
    { device, signal, isLate }: OperationExchange,
    paths: readonly Path[],
    task: () => Promise<T>,
  ): Promise<T> {
    const key = observationKey(paths);
    for (let before = device.starting?.get(key); before !== undefined; before = device.starting?.get(key)) {
      await endedOrAborted(before, signal);
      if (signal.aborted) throw isLate() ? late() : cancelled();
    }
    const result = task();
    const starting = (device.starting ??= new Map<string, Promise<unknown>>());
    starting.set(key, result);
    try {
      return await result;
    } finally {
      starting.delete(key);
      if (starting.size === 0) device.starting = null;
    }
  }

  /**
   * Sends the Observe. The first response goes to `handlers.readings` as a NOTIFICATION. `observing` is false when the
   * device did not accept the observation. Rejects like `Exchanges.ask`, and with BAD_ANSWER when the response can't be
   * decoded.
   */
  async start(
    exchange: OperationExchange,
    operation: Extract<Operation, { kind: 'observe' }>,
  ): Promise<{ response: IncomingResponse; decoded: DecodedPayload | null; observing: boolean }> {
    const { device } = exchange;
    const { paths } = operation;
    const replaces = operation.renew === true && this.running(device, paths) !== undefined;
    if (!replaces && (device.observations?.size ?? 0) >= this.#options.mostPerDevice) {
      throw new Lwm2mError('LIMIT', `the device has ${this.#options.mostPerDevice} observations, the maximum`);
    }
    const variants = requestVariants(operation, device.registration, device.model, device.refusedFormats);
    const { answer, variant } = await this.#options.exchanges.ask(
      exchange,
      variants,
      async ({ endpoint, peer }, request, { expected }) => {
        const observed: Observed = { device, paths, expected, running: null, over: null };
        const result = await endpoint.observe(peer, request, this.#handler(observed));
        return { ...result, observed };
      },
    );
    const { response, observation, observed } = answer;
    if (!hasContent(response)) {
      observation?.forget();
      return { response, decoded: null, observing: false };
    }
    try {
      const decoded = await this.#take(observed, { ...response, olderThan: null, message: null });
      if (decoded === null) throw new Lwm2mError('BAD_ANSWER', 'the response to the Observe can’t be decoded');
      if (observation !== null) await this.#begin(observed, observation, operation, variant.request.accept ?? null);
      return { response, decoded, observing: observation !== null };
    } catch (error) {
      observation?.forget();
      throw error;
    }
  }

  /**
   * Cancels the observation on the device (RFC 7641 §3.6) and ends it here after any response. Rejects like
   * `Exchanges.ask`.
   */
  async cancel(exchange: OperationExchange, running: RunningObservation): Promise<IncomingResponse> {
    let asked = false;
    try {
      return await this.#options.exchanges.converse(exchange, (_to, options) => {
        asked = true;
        return running.handle.cancel(options);
      });
    } finally {
      if (asked) await this.end(exchange.device, running, 'cancelled');
    }
  }

  /** Ends the observation without a request: the server answers the next notification with RST. */
  async end(
    device: RegisteredDevice,
    running: RunningObservation,
    reason: ObservationEnd,
    code: string | null = null,
  ): Promise<void> {
    const key = observationKey(running.record.paths);
    running.handle.forget();
    if (device.observations?.get(key) !== running) return;
    device.observations.delete(key);
    this.#count--;
    if (device.observations.size === 0) device.observations = null;
    await this.#options.handlers.observationEnded(running.record, reason, code);
  }

  /** Never rejects. */
  async endAll(device: RegisteredDevice, reason: ObservationEnd): Promise<void> {
    const running = [...(device.observations?.values() ?? [])];
    await Promise.all(
      running.map((observation) =>
        this.end(device, observation, reason).catch((error: unknown) =>
          this.#options.onFault(error, 'the handler for the end of an observation failed'),
        ),
      ),
    );
  }

  /** Ends the observations whose last notification came from an unknown address and was rejected. */
  async endRejected(device: RegisteredDevice): Promise<void> {
    for (const running of device.observations?.values() ?? []) {
      if (running.handle.rejected) await this.end(device, running, 'cancelled');
    }
  }

  /** Continues an observation of an earlier run of the server, by its token. Sends nothing. */
  async resume(device: RegisteredDevice, record: ObservationRecord): Promise<void> {
    const key = observationKey(record.paths);
    try {
      const handle = this.#resumed(device, record, device.reachedBy);
      if (handle !== null && !device.observations?.has(key)) {
        this.#add(device, { record, handle, heardAt: this.#options.clock.now() });
        return;
      }
      handle?.forget();
    } catch (error) {
      this.#options.onFault(error, `the observation of ${key} could not be resumed`);
    }
    await this.#options.handlers.observationEnded(record, 'cancelled', null);
  }

  /** Moves only the observations of this device: it changed its endpoint, or another device uses its old address. */
  async carryOver(device: RegisteredDevice, reachedBy: Lwm2mEndpoint): Promise<void> {
    for (const running of device.observations?.values() ?? []) {
      if (running.handle.rejected) continue;
      running.handle.forget();
      try {
        const handle = this.#resumed(device, running.record, reachedBy);
        if (handle !== null) running.handle = handle;
      } catch (error) {
        this.#options.onFault(
          error,
          `the observation of ${observationKey(running.record.paths)} could not be moved to the new address`,
        );
        await this.end(device, running, 'cancelled');
      }
    }
    await this.endRejected(device);
  }

  #resumed(device: RegisteredDevice, record: ObservationRecord, { endpoint }: Lwm2mEndpoint): Observation | null {
    const { registration, model } = device;
    const variant = observeRequest(record, record.contentFormat, registration, model);
    if (variant === undefined) return null;
    const observed: Observed = { device, paths: record.paths, expected: variant.expected, running: null, over: null };
    const token = Buffer.from(record.token, 'hex');
    return endpoint.resumeObservation(registration.peer, token, variant.request, this.#handler(observed));
  }

  #add(device: RegisteredDevice, running: RunningObservation): void {
    (device.observations ??= new Map()).set(observationKey(running.record.paths), running);
    this.#count++;
  }

  async #begin(
    observed: Observed,
    handle: Observation,
    { paths, attributes }: Extract<Operation, { kind: 'observe' }>,
    contentFormat: number | null,
  ): Promise<void> {
    const { device } = observed;
    const { id, deviceKey } = device.registration;
    const record: ObservationRecord = {
      token: Buffer.from(handle.token).toString('hex'),
      registrationId: id,
      deviceKey,
      paths,
      composite: paths.length > 1,
      contentFormat,
      startedAt: this.#options.clock.now(),
      ...(attributes && { attributes }),
    };
    await this.#options.handlers.observationStarted(record);
    observed.running = { record, handle, heardAt: record.startedAt };
    const replaced = device.observations?.get(observationKey(paths));
    this.#add(device, observed.running);
    if (replaced) {
      this.#count--;
      replaced.handle.forget();
      await this.#options.handlers.observationEnded(replaced.record, 'cancelled', null);
    }
    if (device.ended) await this.end(device, observed.running, 'registration-ended');
    else if (observed.over !== null) await this.end(device, observed.running, 'refused', observed.over);
  }

  /** The server acknowledges a notification when this promise resolves; after a rejection the device repeats it. */
  #handler(observed: Observed): NotificationHandler {
    return (notification) => this.#options.handled(() => this.#notified(observed, notification));
  }

  async #notified(observed: Observed, notification: Parameters<NotificationHandler>[0]): Promise<void> {
    const { queue, heard } = this.#options;
    const { device } = observed;
    if (device.ended) return;
    queue.hearing(device);
    const running = observed.running ?? this.running(device, observed.paths);
    if (running) running.heardAt = this.#options.clock.now();
    if (hasContent(notification)) await this.#take(observed, notification);
    if (notification.final) {
      observed.over = formatCode(notification.code);
      if (running) await this.end(device, running, 'refused', observed.over);
    }
    heard(device);
  }

  /** Passes the payload to the handlers. Returns null when it can't be decoded. Rejects when a handler rejects. */
  async #take(observed: Observed, payload: Omit<IncomingNotification, 'final'>): Promise<DecodedPayload | null> {
    const origin = 'NOTIFICATION';
    const { handlers, clock } = this.#options;
    const { device, paths, expected } = observed;
    const { registration, model } = device;
    const receivedAt = clock.now();
    let decoded: DecodedPayload;
    try {
      decoded = decodeAnswer(payload, { registration, model, paths, expected, receivedAt });
    } catch (error) {
      const { contentFormat, payload: bytes } = payload;
      const reason = error instanceof Error ? error.message : String(error);
      await handlers.undecodable(registration, { contentFormat, bytes, path: paths.join(' '), reason, origin });
      return null;
    }
    const { olderThan, message } = payload;
    const batch = { registration, origin, scope: paths, decoded, receivedAt, olderThan, message } as const;
    const outcome = await handlers.readings(batch);
    if (outcome && 'retryAfterMs' in outcome) throw new Lwm2mError('LIMIT', 'the device sends too many readings');
    const aside = outsideReason(decoded);
    if (aside) {
      const { contentFormat, payload: bytes } = payload;
      await handlers.undecodable(registration, { contentFormat, bytes, ...aside, origin });
    }
    return decoded;
  }
}

/** Resolves when the task has ended, with or without an error, or the signal is aborted. */
async function endedOrAborted(task: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const waiting = new AbortController();
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { signal: waiting.signal });
  });
  try {
    await Promise.race([task.catch(() => {}), aborted]);
  } finally {
    waiting.abort();
  }
}

function same(left: NotificationAttributes, right: NotificationAttributes | undefined): boolean {
  return sorted(left) === sorted(right ?? {});
}

function sorted(attributes: NotificationAttributes): string {
  return JSON.stringify(Object.entries(attributes).sort());
}
