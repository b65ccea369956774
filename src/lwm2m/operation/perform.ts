import type { Clock } from '../../clock.ts';
import { codes, formatCode, type IncomingResponse } from '../../coap/index.ts';
import { Lwm2mError } from '../error.ts';
import type { Lwm2mHandlers } from '../handlers.ts';
import type { Link } from '../link-format.ts';
import type { Observations } from '../observation.ts';
import {
  createdInstanceId,
  decodeAnswer,
  discoveredLinks,
  hasContent,
  outsideReason,
  resultOf,
  writtenBy,
} from './answer.ts';
import { checkOperation } from './check.ts';
import { discoveryOf } from './discovery.ts';
import type { OperationExchange, Exchanges } from './exchange.ts';
import { requestVariants, type RequestOperation } from './request.ts';
import type { NotificationAttributes, Operation, OperationResult } from './operation.ts';
import type { Path } from '../path.ts';
import type { RegisteredDevice } from '../registered-device.ts';
import { withDiscovered, withInstance, withoutInstance } from '../registration/known-instances.ts';
import type { RegistrationLifecycle } from '../registration/lifecycle.ts';
import type { PerformOptions } from '../server.ts';
import type { DecodedPayload } from '../value.ts';

export interface OperationsOptions {
  readonly clock: Clock;
  readonly handlers: Lwm2mHandlers;
  readonly exchanges: Exchanges;
  readonly observations: Observations;
  /** Changes the object list of the device: see `RegistrationLifecycle.changeInstances`. */
  readonly changeInstances: RegistrationLifecycle['changeInstances'];
  /** The maximum of running and waiting operations per device; above it `perform` rejects with LIMIT. */
  readonly mostPerDevice: number;
}

type ObserveOperation = Extract<Operation, { kind: 'observe' }>;
type ReadOperation = Extract<Operation, { kind: 'read' | 'read-composite' }>;

/** The values of a response are the present ones, and the server asked for them: nothing repeats them. */
const ANSWERED = { olderThan: null, message: null } as const;

/** Performs the operations of device management and information reporting (Core 1.2 §6.3, §6.4). */
export class Operations {
  readonly #clock: Clock;
  readonly #handlers: Lwm2mHandlers;
  readonly #exchanges: Exchanges;
  readonly #observations: Observations;
  readonly #changeInstances: OperationsOptions['changeInstances'];
  readonly #mostPerDevice: number;
  #count = 0;

  constructor(options: OperationsOptions) {
    this.#clock = options.clock;
    this.#handlers = options.handlers;
    this.#exchanges = options.exchanges;
    this.#observations = options.observations;
    this.#changeInstances = options.changeInstances;
    this.#mostPerDevice = options.mostPerDevice;
  }

  /** The number of running and waiting operations of all devices. */
  get count(): number {
    return this.#count;
  }

  /** See `Lwm2mServer.perform`. */
  async perform(device: RegisteredDevice, operation: Operation, options: PerformOptions): Promise<OperationResult> {
    checkOperation(operation, device.registration.lwm2mVersion);
    if (device.operationCount >= this.#mostPerDevice) {
      throw new Lwm2mError('LIMIT', `the device has ${this.#mostPerDevice} running or waiting operations, the maximum`);
    }
    const ending = new AbortController();
    const abort = (): void => ending.abort();
    const time = { over: false };
    const { deadline } = options;
    const timer =
      deadline === undefined
        ? null
        : this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => {
            time.over = true;
            abort();
          });
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener('abort', abort);
    device.begin(ending);
    this.#count++;
    try {
      return await this.#perform(operation, {
        device,
        signal: ending.signal,
        timeoutMs: options.timeoutMs,
        isLate: () => time.over,
        onSent: once(options.onSent),
        onDelivered: once(options.onDelivered),
      });
    } finally {
      this.#count--;
      timer?.cancel();
      device.done(ending);
      options.signal?.removeEventListener('abort', abort);
    }
  }

  #perform(operation: Operation, exchange: OperationExchange): Promise<OperationResult> {
    switch (operation.kind) {
      case 'read':
        return this.#read(exchange, operation, [operation.path]);
      case 'read-composite':
        return this.#read(exchange, operation, operation.paths);
      case 'observe':
        return this.#observations.inTurn(exchange, operation.paths, () => this.#observe(exchange, operation));
      case 'cancel-observation':
        return this.#observations.inTurn(exchange, operation.paths, () => this.#cancel(exchange, operation));
      case 'discover':
        return this.#discover(exchange, operation);
      default:
        return this.#change(exchange, operation);
    }
  }

  async #read(exchange: OperationExchange, operation: ReadOperation, paths: readonly Path[]): Promise<OperationResult> {
    const { response, expected } = await this.#ask(exchange, operation);
    return this.#readResult(exchange.device, response, paths, expected);
  }

  async #readResult(
    device: RegisteredDevice,
    response: IncomingResponse,
    paths: readonly Path[],
    expected: number | null,
  ): Promise<OperationResult> {
    const result = resultOf(response);
    if (!hasContent(response)) {
      if (result.ok) throw new Lwm2mError('BAD_ANSWER', withoutContent(result.code));
      return result;
    }
    const { registration, model } = device;
    const receivedAt = this.#clock.now();
    let decoded: DecodedPayload;
    try {
      decoded = decodeAnswer(response, { registration, model, paths, expected, receivedAt });
    } catch (error) {
      throw await this.#undecodable(device, response, paths, error);
    }
    await this.#handlers.readings({ registration, origin: 'READ', scope: paths, decoded, receivedAt, ...ANSWERED });
    const aside = outsideReason(decoded);
    if (aside) {
      const { contentFormat, payload: bytes } = response;
      await this.#handlers.undecodable(registration, { contentFormat, bytes, ...aside, origin: 'READ' });
    }
    return { ...result, decoded };
  }

  async #discover(
    exchange: OperationExchange,
    operation: Extract<Operation, { kind: 'discover' }>,
  ): Promise<OperationResult> {
    const { response } = await this.#ask(exchange, operation);
    const result = resultOf(response);
    if (!result.ok) return result;
    if (!hasContent(response)) throw new Lwm2mError('BAD_ANSWER', withoutContent(result.code));
    const { device } = exchange;
    let links: readonly Link[];
    try {
      links = discoveredLinks(response.payload, device.registration);
    } catch (error) {
      throw await this.#undecodable(device, response, [operation.path], error);
    }
    const discovery = discoveryOf(operation.path, links);
    const { objectId, instances } = discovery;
    if (objectId !== null) {
      const instanceIds = instances.flatMap(({ instanceId }) => instanceId ?? []);
      await this.#changeInstances(device, (registration) => withDiscovered(registration, objectId, instanceIds));
    }
    await this.#handlers.discovered(device.registration, discovery);
    return { ...result, links };
  }

  /** Performs Write, Write-Composite, Write-Attributes, Execute, Create or Delete, and stores the accepted values. */
  async #change(
    exchange: OperationExchange,
    operation: Exclude<RequestOperation, { kind: 'discover' | 'observe' | ReadOperation['kind'] }>,
  ): Promise<OperationResult> {
    const { response } = await this.#ask(exchange, operation);
    const result = resultOf(response);
    if (!result.ok) return result;
    const { device } = exchange;
    const { registration, model } = device;
    const created =
      operation.kind === 'create'
        ? (createdInstanceId(response.locationPath, operation.objectId) ?? operation.instanceId)
        : null;
    const written = writtenBy(operation, created, registration, model);
    if (written !== null) {
      const receivedAt = this.#clock.now();
      await this.#handlers.readings({ registration, origin: 'WRITE', ...written, receivedAt, ...ANSWERED });
    }
    await this.#noteInstances(device, operation, created);
    return { ...result, createdInstanceId: created };
  }

  /** Notes an instance that the device has created or deleted. */
  async #noteInstances(device: RegisteredDevice, operation: Operation, created: number | null): Promise<void> {
    if (operation.kind === 'create' && created !== null) {
      await this.#changeInstances(device, (registration) => withInstance(registration, operation.objectId, created));
    }
    if (operation.kind !== 'delete') return;
    const { level, objectId, instanceId } = operation.path;
    if (level !== 'instance' || objectId === null || instanceId === null) return;
    await this.#changeInstances(device, (registration) => withoutInstance(registration, objectId, instanceId));
  }

  /**
   * Starts an observation. When the same one already runs, it reads the device instead; with other attributes it
   * cancels the old observation and starts a new one. With `renew`, the new one replaces the old one when the device
   * accepts it, so that no notification is refused meanwhile.
   */
  async #observe(exchange: OperationExchange, operation: ObserveOperation): Promise<OperationResult> {
    const { device } = exchange;
    const { paths, attributes, contentFormat, renew = false } = operation;
    if (!renew && this.#observations.runs(device, paths, attributes)) {
      const [path] = paths;
      const single = path !== undefined && paths.length === 1;
      const read: ReadOperation = single
        ? { kind: 'read', path, ...(contentFormat !== undefined && { contentFormat }) }
        : { kind: 'read-composite', paths, ...(typeof contentFormat === 'number' && { contentFormat }) };
      return this.#read(exchange, read, paths);
    }
    const before = this.#observations.running(device, paths);
    if (before && !renew) await this.#observations.cancel(exchange, before);
    let started = await this.#observations.start(exchange, operation);
    if (attributes && paths.length > 1 && started.response.code === codes.badOption) {
      // Some devices, Anjay among them, refuse the Uri-Query of an Observe-Composite.
      const refused = await this.#writeAttributes(exchange, paths, attributes);
      if (refused) return refused;
      started = await this.#observations.start(exchange, {
        kind: 'observe',
        paths,
        ...(contentFormat !== undefined && { contentFormat }),
      });
    }
    const { response, decoded, observing } = started;
    const result = resultOf(response);
    if (before && renew && !observing) await this.#observations.end(device, before, 'refused', result.code);
    if (result.ok && decoded === null) throw new Lwm2mError('BAD_ANSWER', withoutContent(result.code));
    // A response without the Observe option: the device sends no notifications (RFC 7641 §3.1).
    if (result.ok && !observing)
      return { ...result, ok: false, message: 'the device answered but did not accept the observation', decoded };
    return { ...result, decoded };
  }

  /** Writes the attributes to each path (Core 1.2 §6.3.4). Resolves with the first refusal; null without one. */
  async #writeAttributes(
    exchange: OperationExchange,
    paths: readonly Path[],
    attributes: NotificationAttributes,
  ): Promise<OperationResult | null> {
    for (const path of paths) {
      const { response } = await this.#ask(exchange, { kind: 'write-attributes', path, attributes });
      const result = resultOf(response);
      if (!result.ok) return result;
    }
    return null;
  }

  async #cancel(
    exchange: OperationExchange,
    { paths, passive }: Extract<Operation, { kind: 'cancel-observation' }>,
  ): Promise<OperationResult> {
    const { device } = exchange;
    const running = this.#observations.running(device, paths);
    if (!running) throw new Lwm2mError('INVALID_ARGUMENT', `there is no running observation of ${paths.join(', ')}`);
    if (passive === true) {
      await this.#observations.end(device, running, 'cancelled');
      // No request is sent; the server answers the next notification with RST, an Empty message.
      return { ...NO_ANSWER };
    }
    const response = await this.#observations.cancel(exchange, running);
    // RFC 7641 §4.1: the device removes the observer, and answers the request as one without an Observe option. So the
    // observation has ended also when the code is an error.
    if (!hasContent(response)) return { ...resultOf(response), ok: true };
    // Some devices confirm the cancellation without a payload; that does not mean that the value is empty.
    if (response.payload.length === 0) return resultOf(response);
    return this.#readResult(device, response, paths, running.record.contentFormat);
  }

  async #ask(
    exchange: OperationExchange,
    operation: RequestOperation,
  ): Promise<{ response: IncomingResponse; expected: number | null }> {
    const { registration, model, refusedFormats } = exchange.device;
    const { answer, variant } = await this.#exchanges.ask(
      exchange,
      requestVariants(operation, registration, model, refusedFormats),
      async ({ endpoint, peer }, request) => ({ response: await endpoint.request(peer, request) }),
    );
    return { response: answer.response, expected: variant.expected };
  }

  /** Stores the payload as undecodable and creates the error for the caller. */
  async #undecodable(
    { registration }: RegisteredDevice,
    { contentFormat, payload: bytes }: IncomingResponse,
    paths: readonly Path[],
    cause: unknown,
  ): Promise<Lwm2mError> {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const path = paths.join(' ');
    await this.#handlers.undecodable(registration, { contentFormat, bytes, path, reason, origin: 'READ' });
    return new Lwm2mError('BAD_ANSWER', `the response can't be decoded: ${reason}`, { cause });
  }
}

function withoutContent(code: string): string {
  return `the device answered ${code}, but only 2.05 Content answers this request`;
}

const NO_ANSWER: OperationResult = {
  ok: true,
  code: formatCode(codes.empty),
  message: null,
  contentFormat: null,
  decoded: null,
  links: null,
  createdInstanceId: null,
  maxAge: null,
};

function once(listener: (() => void) | undefined): () => void {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    listener?.();
  };
}
