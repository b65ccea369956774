import { randomBytes } from 'node:crypto';
import { systemClock, type Clock } from '../clock.ts';
import type { IncomingRequest, OutgoingResponse, Peer } from '../coap/index.ts';
import { refusal } from './refusal.ts';
import { Lwm2mError } from './error.ts';
import type { Lwm2mHandlers, RestoredState } from './handlers.ts';
import { Observations } from './observation.ts';
import { Exchanges } from './operation/exchange.ts';
import { Operations } from './operation/perform.ts';
import type { Operation, OperationResult } from './operation/operation.ts';
import type { Path } from './path.ts';
import { QueueMode } from './queue-mode.ts';
import { isStream, RegisteredDevice, type Lwm2mEndpoint } from './registered-device.ts';
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
  /** The CoAP endpoints; the server installs itself as their request handler. */
  readonly endpoints: readonly Lwm2mEndpoint[];
  readonly handlers: Lwm2mHandlers;
  readonly clock?: Clock;
  /** Cryptographically random bytes, used for registration locations. */
  readonly random?: (size: number) => Uint8Array;
  readonly settings?: Partial<Lwm2mServerSettings>;
  /**
   * Receives errors that no caller awaits: a rejected store of an expiry, or an error thrown by a synchronous handler.
   */
  readonly onFault?: (error: unknown, message: string) => void;
}

/** Creates the LwM2M server. It handles no request before `start`. */
export function createLwm2mServer(options: Lwm2mServerOptions): RunningLwm2mServer {
  return new Server(options);
}

class Server implements RunningLwm2mServer {
  readonly #endpoints: readonly Lwm2mEndpoint[];
  readonly #handlers: Lwm2mHandlers;
  readonly #clock: Clock;
  readonly #settings: Lwm2mServerSettings;
  readonly #onFault: (error: unknown, message: string) => void;
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
    this.#queue = new QueueMode({
      clock,
      awakeMs,
      changed: ({ registration }, asleep) =>
        this.#notify('the handler for sleeping devices failed', () => handlers.sleeping(registration, asleep)),
      probed: ({ registration }, probe) =>
        this.#notify('the handler for awake times failed', () => handlers.probed(registration, probe)),
    });
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
    this.#operations = new Operations({
      clock,
      handlers,
      exchanges,
      observations: this.#observations,
      changeInstances: (device, change) => this.#registrations.changeInstances(device, change),
      mostPerDevice: operationsPerDevice,
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
      this.#registry.postpone(device, this.#settings.graceMs);
      this.#queue.resume(device, registration.updatedAt);
    }
    for (const record of observations) {
      const device = this.#registry.withId(record.registrationId);
      if (device) await this.#observations.resume(device, record);
      else await this.#handlers.observationEnded(record, 'registration-ended', null);
    }
    for (const reachedBy of this.#endpoints) {
      reachedBy.endpoint.onRequest((request) => this.#answer(request, reachedBy));
      reachedBy.endpoint.onPeerArrived((peer, formerKey) => void this.#follow(peer, formerKey, reachedBy));
      reachedBy.endpoint.onPeerGone((peer) => this.#disconnected(peer, reachedBy));
    }
    for (const device of this.#registry) {
      if (isStream(device.reachedBy)) this.#lost(device);
      // DTLS sessions and TCP connections ended with the restart: such a device must connect by itself.
      if (device.reachedBy.transport !== 'udp' || this.#queue.isAsleep(device)) continue;
      this.#notify('the handler for ready devices failed', () => this.#handlers.ready(device.registration, 'restart'));
    }
    for (const { endpoint } of this.#endpoints) endpoint.open();
  }

  registration(deviceKey: string): Registration | undefined {
    return this.#registry.withKey(deviceKey)?.registration;
  }

  setAwakeTime(deviceKey: string, ms: number | null): void {
    const device = this.#registry.withKey(deviceKey);
    if (device) device.awakeMs = ms;
  }

  isUnreachable(deviceKey: string): boolean {
    const device = this.#registry.withKey(deviceKey);
    return device !== undefined && (this.#queue.isAsleep(device) || !device.connected);
  }

  observations(deviceKey: string): readonly ObservationRecord[] {
    const running = this.#registry.withKey(deviceKey)?.observations?.values() ?? [];
    return [...running].map(({ record }) => record);
  }

  heardAt(deviceKey: string, paths: readonly Path[]): number | null {
    const device = this.#registry.withKey(deviceKey);
    return (device && this.#observations.running(device, paths)?.heardAt) ?? null;
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

  /** Never rejects: the device gets a response also after an internal error. */
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
        // The response goes out first, then the requests that waited while the device slept (Core 1.2 §6.5).
        this.#heard(device);
        this.#notify('the handler for ready devices failed', () => onSent?.());
      },
    };
  }

  /** The log must not contain the location: over NoSec, anyone who knows it can change the registration. */
  #failure(request: IncomingRequest, error: unknown): OutgoingResponse {
    if (error instanceof Lwm2mError && (error.code === 'LIMIT' || error.code === 'CANCELLED')) {
      return refusal('5.03', error.message);
    }
    this.#onFault(error, `${request.method} /${request.path[0] ?? ''} failed`);
    return refusal('5.00', 'try again later');
  }

  async #route(request: IncomingRequest, reachedBy: Lwm2mEndpoint): Promise<OutgoingResponse> {
    const [first, ...more] = request.path;
    if (first === 'rd') return this.#registrationInterface.answer(request, reachedBy);
    if (first === 'dp' && more.length === 0) {
      const device = this.#registry.atPeer(reachedBy.endpoint, request.peer);
      return takeSend(device, request, { handlers: this.#handlers, clock: this.#clock });
    }
    return refusal('4.04', 'this path does not exist; use /rd or /dp');
  }

  /** Never rejects. */
  async #follow(peer: Peer, formerKey: string | null, reachedBy: Lwm2mEndpoint): Promise<void> {
    try {
      await this.#handled(() => this.#registrations.follow(peer, formerKey, reachedBy));
    } catch (error) {
      if (!this.#stopped) this.#onFault(error, 'the new session of a device could not be stored');
    }
  }

  #disconnected(peer: Peer, { endpoint }: Lwm2mEndpoint): void {
    const device = this.#registry.atPeer(endpoint, peer);
    if (!this.#stopped && device) this.#lost(device);
  }

  #lost(device: RegisteredDevice): void {
    device.connected = false;
    if (device.registration.queueMode) this.#queue.silent(device);
    else {
      this.#notify('the handler for lost connections failed', () => this.#handlers.disconnected(device.registration));
    }
  }

  #heard(device: RegisteredDevice): void {
    if (device.ended) return;
    this.#notify('the handler for messages of devices failed', () =>
      this.#handlers.heard(device.registration, this.#clock.now()),
    );
    this.#queue.heard(device);
    device.reachedBy.endpoint.hasten(device.registration.peer);
  }

  /** Never rejects. */
  async #expire(device: RegisteredDevice): Promise<void> {
    try {
      await this.#handled(() => this.#registrations.remove(device, 'expired'));
    } catch (error) {
      this.#onFault(error, 'the expiry of a registration could not be stored');
      this.#registry.postpone(device, this.#settings.expiryRetryMs);
    }
  }

  /** Calls a synchronous handler; an error in it must not affect the response to the device. */
  #notify(message: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#onFault(error, message);
    }
  }

  /** Runs work that `stop` waits for. Rejects with CANCELLED after `stop`. */
  async #handled<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#stopped) throw new Lwm2mError('CANCELLED', 'the server is stopping');
    const work = begin();
    this.#handling.add(work);
    try {
      return await work;
    } finally {
      this.#handling.delete(work);
    }
  }
}
