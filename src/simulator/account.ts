import type { Clock } from '../clock.ts';
import { Path } from '../lwm2m/index.ts';
import type { TimedValue } from '../lwm2m/index.ts';
import { AttachedAttributes } from './attributes.ts';
import { CoapLink } from './coap-link.ts';
import type { Subscriber } from './coap-link.ts';
import type { CoapRequest, CoapResponse } from './coap-message.ts';
import type { DeviceContents, DeviceState } from './device-state.ts';
import { describeRequest } from './log-line.ts';
import { SERVER } from './objects.ts';
import { Observations } from './observations.ts';
import { observationRequest, perform } from './operations.ts';
import type { Answered, Execute } from './operations.ts';
import { Refusal } from './refusal.ts';
import { RegistrationClient } from './registration-client.ts';
import type { Resources } from './resource-tree.ts';
import { Sending } from './sending.ts';
import { bindingOf } from './server-address.ts';
import type { ServerAddress } from './server-address.ts';
import { Timers } from './timers.ts';
import { integer, numberOf, text } from './typed.ts';

/** Wait before the Update of a device that lost its connection. */
const RECONNECT_MS = 2_000;

/** A server account of the device (Core 1.2 §6.1): the server's address and the first values of its Server instance. */
export interface AccountOptions {
  readonly server: ServerAddress;
  /** 1 to 65534. */
  readonly shortServerId: number;
  /** Seconds. */
  readonly lifetime: number;
}

/** The device that has the accounts. */
export interface AccountHolder {
  readonly endpoint: string;
  readonly contents: DeviceContents;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly queue: boolean;
  /** Milliseconds that a device in queue mode stays awake after the last message. */
  readonly awakeMs: number;
  /** False while the device boots: it loses incoming messages. */
  readonly isRunning: () => boolean;
  /** The object list, in link format. */
  readonly links: () => string;
  readonly execute: Execute;
  /** Called after each operation of a server. */
  readonly performed: (done: Answered) => void;
  /** Called when a server refuses the registration. Absent: the device retries. */
  readonly refused?: (() => void) | undefined;
}

/**
 * One server account: its link, its registration, and the observations and attributes of this server (Core 1.2 §6.4,
 * §7.3: they belong to one server).
 */
export class Account {
  /** The path of its Server object instance. */
  readonly instance: Path;
  readonly #options: AccountOptions;
  readonly #holder: AccountHolder;
  readonly #state: DeviceState;
  readonly #observations: Observations;
  readonly #sending: Sending;
  readonly #timers: Timers;
  #link: CoapLink | null = null;
  #registration: RegistrationClient | null = null;
  #asleep = false;

  constructor(instanceId: number, options: AccountOptions, holder: AccountHolder) {
    const { contents, clock, log } = holder;
    this.instance = Path.of(1, instanceId);
    this.#options = options;
    this.#holder = holder;
    this.#state = { ...contents, attributes: new AttachedAttributes(contents.lwm2m) };
    this.#observations = new Observations(this.#state, this.instance, clock, log);
    this.#sending = new Sending({
      contents,
      server: this.instance,
      ask: async (request) => (await this.#link?.ask(request)) ?? null,
      log,
    });
    this.#timers = new Timers(clock);
  }

  /** `U`, `T`, or `UQ` for queue mode in LwM2M 1.0. */
  get binding(): string {
    const { queue, contents } = this.#holder;
    return `${bindingOf(this.#options.server)}${queue && contents.lwm2m === '1.0' ? 'Q' : ''}`;
  }

  /** The first values of its Server instance that differ between accounts. */
  get resources(): Resources {
    const { shortServerId, lifetime } = this.#options;
    return {
      [SERVER.shortServerId]: integer(shortServerId),
      [SERVER.lifetime]: integer(lifetime),
      [SERVER.binding]: text(this.binding),
    };
  }

  /** `/rd/…`; null while the device is not registered. */
  get location(): string | null {
    return this.#registration?.location ?? null;
  }

  get observationCount(): number {
    return this.#observations.count;
  }

  /**
   * Binds a port and registers, with retries. Resolves after the first try; rejects when no port can be bound.
   */
  async start(): Promise<void> {
    const { endpoint, contents, clock, log, queue, isRunning, links, refused } = this.#holder;
    this.#link = await CoapLink.open(this.#options.server, clock, log, {
      answer: (request) => this.#answer(request),
      observe: (request, subscriber) => this.#observe(request, subscriber),
      unsubscribed: (subscriber) => void this.#observations.end(subscriber),
      active: () => this.#stayAwake(),
      awake: () => isRunning() && !this.#asleep,
      lost: () => this.#reconnect(),
    });
    this.#registration = new RegistrationClient(this.#link, clock, {
      endpoint,
      lwm2m: contents.lwm2m,
      queue,
      lifetime: () => this.#number(SERVER.lifetime),
      binding: () => this.binding,
      links,
      registered: () => this.#observations.clear(),
      refused,
      log,
    });
    await this.#registration.register();
  }

  /** De-registers and closes the port. */
  async stop(): Promise<void> {
    this.#timers.stop();
    this.#observations.clear();
    await this.#registration?.deregister();
    await this.vanish();
  }

  /** Closes the port without a De-register: the registration stays until it expires. */
  async vanish(): Promise<void> {
    this.#timers.stop();
    this.#observations.clear();
    this.#registration?.stop();
    await this.#link?.close();
  }

  async register(): Promise<void> {
    await this.#registration?.register();
  }

  async update(): Promise<void> {
    await this.#registration?.update();
  }

  /** De-registers for the disable timeout, after the response to the Execute is sent. */
  disable(): void {
    const seconds = this.#number(SERVER.disableTimeout);
    this.#holder.log(`disabled for ${seconds} s`);
    this.#timers.after('disable', 0, () => {
      this.#observations.clear();
      void this.#registration?.deregister();
      this.#timers.after('disable', seconds * 1000, () => void this.register());
    });
  }

  /** Clears the server's observations and attributes, as at a boot. */
  forget(): void {
    this.#observations.clear();
    this.#state.attributes.forget(Path.root);
  }

  /** Handles a changed, new or removed path. A changed lifetime or object list causes an Update. */
  changed(path: Path): void {
    if (!this.#state.tree.has(path)) this.#state.attributes.forget(path);
    this.#observations.changed(path);
    const affectsRegistration = path.level === 'instance' || path.equals(this.instance.child(SERVER.lifetime));
    if (affectsRegistration && this.location !== null && this.#holder.isRunning()) {
      this.#timers.after('update', 0, () => void this.update());
    }
  }

  send(values: readonly TimedValue[], contentFormat: number): Promise<string | null> {
    return this.#sending.send(values, contentFormat);
  }

  remember(values: readonly TimedValue[]): void {
    this.#sending.remember(values);
  }

  sendHistory(): Promise<void> {
    return this.#sending.sendHistory();
  }

  #answer(request: CoapRequest): CoapResponse {
    if (request.observe === 1) this.#observations.cancel(request.token);
    return this.#refusing(request, () => {
      const done = perform(this.#state, request, this.#holder.execute);
      if (done.operation === 'write-attributes') this.#observations.attributesChanged();
      this.#holder.performed(done);
      return done.response;
    });
  }

  #observe(request: CoapRequest, subscriber: Subscriber): CoapResponse {
    return this.#refusing(request, () =>
      this.#observations.start({ ...observationRequest(this.#state, request), subscriber }),
    );
  }

  #refusing(request: CoapRequest, answer: () => CoapResponse): CoapResponse {
    let response: CoapResponse;
    try {
      response = answer();
    } catch (error) {
      // RFC 7252 §5.5.2: a diagnostic payload for people.
      const message = error instanceof Error ? error.message : String(error);
      response = { code: error instanceof Refusal ? error.code : '5.00', payload: Buffer.from(message) };
    }
    this.#holder.log(describeRequest(this.#state, request, response));
    return response;
  }

  /**
   * RFC 8323 §7.1: observations end with their connection. An Update shows the server the new connection.
   */
  #reconnect(): void {
    this.#observations.clear();
    if (this.location !== null) this.#timers.after('reconnect', RECONNECT_MS, () => void this.update());
  }

  #stayAwake(): void {
    const { queue, awakeMs, log } = this.#holder;
    if (!queue) return;
    if (this.#asleep) log('wakes');
    this.#asleep = false;
    this.#timers.after('sleep', awakeMs + 1, () => this.#sleep());
  }

  /** Turns the radio off, unless an exchange is open: its last message would be lost. */
  #sleep(): void {
    if (this.#link?.isBusy ?? false) return this.#stayAwake();
    this.#asleep = true;
    this.#holder.log('sleeps');
  }

  #number(resourceId: number): number {
    return numberOf(this.#state.tree.value(this.instance.child(resourceId))) ?? 0;
  }
}
