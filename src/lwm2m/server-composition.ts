import { randomBytes } from 'node:crypto';
import { systemClock, type Clock } from '../clock.ts';
import type { IncomingRequest, OutgoingResponse } from '../coap/index.ts';
import { refusal } from './refusal.ts';
import { Lwm2mError } from './error.ts';
import type { Lwm2mHandlers, RestoredState } from './handlers.ts';
import { Observations } from './observation.ts';
import { Exchanges } from './operation/exchange.ts';
import { Operations } from './operation/perform.ts';
import type { Operation, OperationResult } from './operation/operation.ts';
import { QueueMode } from './queue-mode.ts';
import { RegisteredDevice, type Lwm2mEndpoint } from './registered-device.ts';
import { Expiry } from './registration/expiry.ts';
import { RegistrationInterface } from './registration/registration-interface.ts';
import { RegistrationLifecycle } from './registration/lifecycle.ts';
import type { ObservationRecord, Registration } from './registration/registration.ts';
import { Registry } from './registry.ts';
import { takeSend } from './send.ts';
import { defaultLwm2mServerSettings, type Lwm2mServerSettings } from './server-settings.ts';
import type { Lwm2mSnapshot, PerformOptions, RunningLwm2mServer } from './server.ts';
import { SerialTasks } from './serial-tasks.ts';

export interface Lwm2mServerOptions {
  /** What devices reach the server by; the server becomes the handler of their requests. */
  readonly endpoints: readonly Lwm2mEndpoint[];
  readonly handlers: Lwm2mHandlers;
  readonly clock?: Clock;
  /** Unforeseeable bytes; locations are made of them. */
  readonly random?: (size: number) => Uint8Array;
  readonly settings?: Partial<Lwm2mServerSettings>;
  /** Hears what went wrong where nobody waits: the handlers's refusal to store an expiry, a throw of its listeners. */
  readonly onFault?: (error: unknown, doing: string) => void;
}

/** The LwM2M server over its endpoints. It hears nothing before `start`. */
export function createLwm2mServer(options: Lwm2mServerOptions): RunningLwm2mServer {
  return new Server(options);
}

class Server implements RunningLwm2mServer {
  readonly #endpoints: readonly Lwm2mEndpoint[];
  readonly #handlers: Lwm2mHandlers;
  readonly #clock: Clock;
  readonly #settings: Lwm2mServerSettings;
  readonly #onFault: (error: unknown, doing: string) => void;
  readonly #tasks: SerialTasks;
  readonly #queue: QueueMode;
  readonly #expiry: Expiry;
  readonly #registry: Registry;
  readonly #observations: Observations;
  readonly #operations: Operations;
  readonly #registrations: RegistrationLifecycle;
  readonly #registrationInterface: RegistrationInterface;
  readonly #handling = new Set<Promise<unknown>>();
  #stopped = false;

  constructor({
    endpoints,
    handlers,
    clock = systemClock,
    random = randomBytes,
    settings = {},
    onFault = () => {},
  }: Lwm2mServerOptions) {
    this.#endpoints = endpoints;
    this.#handlers = handlers;
    this.#clock = clock;
    this.#settings = { ...defaultLwm2mServerSettings, ...settings };
    this.#onFault = onFault;
    const { graceMs, awakeMs, registrations, observationsPerDevice, operationsPerDevice, tasksPerDevice } =
      this.#settings;
    this.#tasks = new SerialTasks(tasksPerDevice);
    this.#queue = new QueueMode(clock, awakeMs, (device, asleep) =>
      this.#tell('telling that a device sleeps or woke', () => handlers.sleeping(device.registration, asleep)),
    );
    this.#expiry = new Expiry((device) => this.#expire(device));
    this.#registry = new Registry(clock, graceMs, (device) => this.#expiry.add(device));
    const heard = (device: RegisteredDevice): void => this.#heard(device);
    const exchanges = new Exchanges(clock, this.#queue, heard);
    this.#observations = new Observations({
      clock,
      handlers,
      queue: this.#queue,
      exchanges,
      heard,
      onFault,
      handled: (work) => this.#handled(work),
      mostPerDevice: observationsPerDevice,
    });
    this.#operations = new Operations({
      clock,
      handlers,
      exchanges,
      observations: this.#observations,
      mostPerDevice: operationsPerDevice,
    });
    this.#registrations = new RegistrationLifecycle({
      clock,
      random,
      handlers,
      registry: this.#registry,
      observations: this.#observations,
      queue: this.#queue,
      tasks: this.#tasks,
      most: registrations,
    });
    this.#registrationInterface = new RegistrationInterface(this.#registrations, handlers);
  }

  async start({ registrations, observations }: RestoredState): Promise<void> {
    for (const { registration, model, awakeMs } of registrations) {
      const reachedBy = this.#endpoints.find(({ transport }) => transport === registration.transport);
      if (!reachedBy) {
        await this.#handlers.ended(registration, 'removed');
        continue;
      }
      const device = new RegisteredDevice({ registration, model, awakeMs, reachedBy, answered: true });
      this.#registry.add(device);
      // While the server was away no Update could be heard.
      this.#registry.spare(device, this.#settings.graceMs);
      this.#queue.resume(device, registration.updatedAt);
    }
    for (const record of observations) {
      const device = this.#registry.withId(record.registrationId);
      if (device) await this.#observations.resume(device, record);
      else await this.#handlers.observationEnded(record, 'registration-ended');
    }
    for (const reachedBy of this.#endpoints) {
      reachedBy.endpoint.onRequest((request) => this.#answer(request, reachedBy));
    }
    for (const device of this.#registry) {
      // Sessions and connections did not survive: such a device must come by itself.
      if (device.reachedBy.transport !== 'udp' || this.#queue.isAsleep(device)) continue;
      this.#tell('telling that a device is ready', () => this.#handlers.ready(device.registration, 'restart'));
    }
  }

  registration(deviceKey: string): Registration | undefined {
    return this.#registry.withKey(deviceKey)?.registration;
  }

  setAwakeTime(deviceKey: string, ms: number | null): void {
    const device = this.#registry.withKey(deviceKey);
    if (device) device.awakeMs = ms;
  }

  isAsleep(deviceKey: string): boolean {
    const device = this.#registry.withKey(deviceKey);
    return device !== undefined && this.#queue.isAsleep(device);
  }

  observations(deviceKey: string): readonly ObservationRecord[] {
    const running = this.#registry.withKey(deviceKey)?.observations?.values() ?? [];
    return [...running].map(({ record }) => record);
  }

  snapshot(): Lwm2mSnapshot {
    return {
      registrations: this.#registry.size,
      observations: this.#observations.count,
      operations: this.#operations.count,
      handling: this.#handling.size,
    };
  }

  async perform(deviceKey: string, operation: Operation, options: PerformOptions = {}): Promise<OperationResult> {
    const device = this.#registry.withKey(deviceKey);
    if (!device) throw new Lwm2mError('NOT_REGISTERED', 'the device is not registered');
    return this.#handled(() => this.#operations.perform(device, operation, options));
  }

  async remove(deviceKey: string): Promise<void> {
    const device = this.#registry.withKey(deviceKey);
    if (device) await this.#registrations.remove(device, 'removed');
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#registry.stop();
    this.#expiry.stop();
    this.#queue.stop();
    for (const device of this.#registry) device.cancelOperations();
    await this.#tasks.settled();
    await Promise.allSettled(this.#handling);
  }

  /** Never rejects: a device gets an answer, whatever happened here. */
  async #answer(request: IncomingRequest, reachedBy: Lwm2mEndpoint): Promise<OutgoingResponse> {
    const before = this.#registry.atPeer(reachedBy.endpoint, request.peer);
    if (before) this.#queue.hearing(before);
    let response: OutgoingResponse;
    try {
      response = await this.#handled(() => this.#route(request, reachedBy));
    } catch (error) {
      response = this.#failure(request, error);
    }
    const device = this.#registry.atPeer(reachedBy.endpoint, request.peer);
    if (!device) return response;
    const { onSent } = response;
    return {
      ...response,
      onSent: () => {
        // First the answer, then what was held back while the device slept (Core 1.2 §6.5).
        this.#heard(device);
        this.#tell('telling that a device is ready', () => onSent?.());
      },
    };
  }

  /** The location stays out of what is logged: over NoSec, who knows it may change the registration. */
  #failure(request: IncomingRequest, error: unknown): OutgoingResponse {
    if (error instanceof Lwm2mError && (error.code === 'LIMIT' || error.code === 'CANCELLED')) {
      return refusal('5.03', error.message);
    }
    this.#onFault(error, `answering ${request.method} /${request.path[0] ?? ''}`);
    return refusal('5.00', 'try again later');
  }

  async #route(request: IncomingRequest, reachedBy: Lwm2mEndpoint): Promise<OutgoingResponse> {
    const [first, ...more] = request.path;
    if (first === 'rd') return this.#registrationInterface.answer(request, reachedBy);
    if (first === 'dp' && more.length === 0) {
      const device = this.#registry.atPeer(reachedBy.endpoint, request.peer);
      return takeSend(device, request, { handlers: this.#handlers, clock: this.#clock });
    }
    return refusal('4.04', 'nothing is here');
  }

  #heard(device: RegisteredDevice): void {
    if (device.ended) return;
    this.#tell('telling that a device was heard', () => this.#handlers.heard(device.registration, this.#clock.now()));
    this.#queue.heard(device);
  }

  /** Never rejects. */
  async #expire(device: RegisteredDevice): Promise<void> {
    try {
      await this.#handled(() => this.#registrations.remove(device, 'expired'));
    } catch (error) {
      this.#onFault(error, 'ending an expired registration');
      this.#registry.spare(device, this.#settings.expiryRetryMs);
    }
  }

  /** What the handlers hears without being waited for must not break what the wire waits for. */
  #tell(doing: string, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#onFault(error, doing);
    }
  }

  /** Known to `stop`, which waits for it; nothing begins after that. */
  async #handled<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#stopped) throw new Lwm2mError('CANCELLED', 'the server stops');
    const work = begin();
    this.#handling.add(work);
    try {
      return await work;
    } finally {
      this.#handling.delete(work);
    }
  }
}
