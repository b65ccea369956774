import { systemClock } from '../clock.ts';
import type { Clock, Timer } from '../clock.ts';
import { ContentFormat, encode, formatLinks, Path, registryModel } from '../lwm2m/index.ts';
import type { Link, Lwm2mVersion, ObjectModel, TimedValue } from '../lwm2m/index.ts';
import { AttachedAttributes } from './attributes.ts';
import { CoapLink } from './coap-link.ts';
import type { Subscriber } from './coap-link.ts';
import type { CoapRequest, CoapResponse } from './coap-message.ts';
import type { DeviceState } from './device-state.ts';
import { drift } from './drift.ts';
import { DtlsTunnel } from './dtls-tunnel.ts';
import type { PreSharedKey } from './dtls-tunnel.ts';
import { execute } from './execution.ts';
import { Firmware } from './firmware.ts';
import { ADVERTISED } from './formats.ts';
import { describeRequest } from './log-line.ts';
import { DEVICE, deviceObject, FIRMWARE, SENSOR, SENSORS, SERVER, toldVersion } from './objects.ts';
import type { DeviceObject } from './objects.ts';
import { Observations } from './observations.ts';
import { observationRequest, perform } from './operations.ts';
import type { Answered } from './operations.ts';
import { readable } from './reading.ts';
import { Refusal } from './refusal.ts';
import { RegistrationClient } from './registration-client.ts';
import { ResourceTree } from './resource-tree.ts';
import type { PlacedValue } from './resource-tree.ts';
import { numberOf, time } from './typed.ts';

const CORE_OBJECTS = [1, 3, 5];
const CURRENT_TIME = Path.of(3, 0, DEVICE.currentTime);
/** How many measurements wait for the next Send; the oldest are forgotten. */
const MAX_HISTORY = 1_000;
const BOOT_MS = 1_000;

export interface DeviceOptions {
  readonly endpoint: string;
  readonly server: { readonly host: string; readonly port: number };
  /** With it the device speaks DTLS. */
  readonly psk?: PreSharedKey;
  /** Beside 1, 3 and 5. An object that the model does not know is refused. */
  readonly objects: readonly number[];
  readonly lwm2m?: Lwm2mVersion;
  /** Seconds. */
  readonly lifetime?: number;
  /** Queue mode: the radio is off `awakeMs` after the last message, 93 s unless told (RFC 7252's MAX_TRANSMIT_WAIT). */
  readonly queue?: boolean;
  readonly awakeMs?: number;
  /** Between two steps of the values that drift; 0: they stand still. */
  readonly driftMs?: number;
  /** Between two Sends of what the sensors measured since, with their times; 0: none. */
  readonly sendMs?: number;
  readonly model?: ObjectModel;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly log?: (line: string) => void;
  /** Its server refused to register it: it gives up. Absent: it tries again, as long as it runs. */
  readonly refused?: () => void;
}

/** A simulated LwM2M device: registers, answers, notifies, and de-registers when it is stopped. */
export class SimulatedDevice {
  readonly endpoint: string;
  readonly #options: DeviceOptions;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #objects: ReadonlyMap<number, DeviceObject>;
  readonly #state: DeviceState;
  readonly #observations: Observations;
  readonly #firmware: Firmware;
  readonly #timers = new Map<string, Timer>();
  readonly #history: TimedValue[] = [];
  #tunnel: DtlsTunnel | null = null;
  #link: CoapLink | null = null;
  #registration: RegistrationClient | null = null;
  #awakeUntil = Infinity;
  #booting = false;
  #stopped = false;

  /** Throws when the model does not know one of the objects. */
  constructor(options: DeviceOptions) {
    const { lwm2m = '1.1', model = registryModel(), clock = systemClock, log = () => {} } = options;
    this.endpoint = options.endpoint;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    const now = (): number => Math.floor(clock.now() / 1000);
    this.#objects = new Map(
      [...CORE_OBJECTS, ...options.objects].map((id) => [id, this.#object(id, lwm2m, model, now)]),
    );
    const tree = new ResourceTree();
    this.#state = { lwm2m, model, objects: this.#objects, tree, attributes: new AttachedAttributes(lwm2m), now };
    this.#observations = new Observations(this.#state, clock, log);
    this.#firmware = new Firmware(tree, clock, () => this.#reboot());
    this.#furnish();
    tree.listen((path) => this.#changed(path));
  }

  /** Its resources: what is set here is what a server reads, and is notified of. */
  get tree(): ResourceTree {
    return this.#state.tree;
  }

  /** `/rd/…`; null while it is not registered. */
  get location(): string | null {
    return this.#registration?.location ?? null;
  }

  get observationCount(): number {
    return this.#observations.count;
  }

  /** Binds a port and registers; resolves after the first try, and goes on trying. Rejects when no port can be bound. */
  async start(): Promise<void> {
    const { server, psk } = this.#options;
    this.#tunnel = psk ? await DtlsTunnel.open(server, psk, this.#log) : null;
    const nearest = this.#tunnel ? { host: '127.0.0.1', port: this.#tunnel.port } : server;
    this.#link = await CoapLink.open(nearest, this.#clock, {
      answer: (request) => this.#answer(request),
      observe: (request, subscriber) => this.#observe(request, subscriber),
      unsubscribed: (subscriber) => void this.#observations.end(subscriber),
      active: () => this.#stayAwake(),
      awake: () => !this.#booting && this.#clock.now() <= this.#awakeUntil,
    });
    this.#registration = new RegistrationClient(this.#link, this.#clock, {
      endpoint: this.endpoint,
      lwm2m: this.#state.lwm2m,
      queue: this.#options.queue ?? false,
      lifetime: () => this.#number(Path.of(1, 0, SERVER.lifetime)),
      binding: () => this.#binding(),
      links: () => this.#links(),
      registered: () => this.#observations.clear(),
      refused: this.#options.refused,
      log: this.#log,
    });
    this.#repeat('drift', this.#options.driftMs ?? 5_000, () => {
      drift(this.tree, this.#options.random ?? Math.random);
      if (this.#options.sendMs) this.#remember();
    });
    this.#repeat('send', this.#options.sendMs ?? 0, () => void this.#sendHistory());
    await this.#registration.register();
  }

  /** De-registers and lets go of its port. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#observations.clear();
    await this.#registration?.deregister();
    this.#registration?.stop();
    await this.#link?.close();
    await this.#tunnel?.close();
  }

  /** Ends without a word, as when its battery is taken out: the registration stays until it expires. */
  async vanish(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#observations.clear();
    this.#registration?.stop();
    await this.#link?.close();
    await this.#tunnel?.close();
  }

  /** Sends an Update now. */
  async update(): Promise<void> {
    await this.#registration?.update();
  }

  /** Send (Core 1.2 §6.4.5) of what can be read there now; the answer's code, null without one or while it is muted. */
  send(paths: readonly Path[], contentFormat: number = ContentFormat.senmlCbor): Promise<string | null> {
    const values = paths.flatMap((path) => readable(this.#state, path));
    if (contentFormat === ContentFormat.lwm2mCbor) return this.#send(values, contentFormat);
    return this.#send(this.#timed(values), contentFormat);
  }

  async #send(values: readonly TimedValue[], contentFormat: number): Promise<string | null> {
    const mute = this.tree.value(Path.of(1, 0, SERVER.muteSend));
    if (values.length === 0 || (mute?.type === 'Boolean' && mute.value)) return null;
    const payload = encode({ contentFormat, path: Path.root, values });
    const answer = await this.#link?.ask({ method: 'POST', path: ['dp'], contentFormat, payload });
    this.#log(`send ${values.length} values → ${answer?.code ?? 'no answer'}`);
    return answer?.code ?? null;
  }

  /** What the sensors measured since the last Send, each with its time. */
  async #sendHistory(): Promise<void> {
    const sent = this.#history.splice(0);
    const code = await this.#send(sent, ContentFormat.senmlCbor);
    if (code === null) this.#history.unshift(...sent);
  }

  #remember(): void {
    const sensors = Object.keys(SENSORS).map((objectId) => Path.of(Number(objectId)));
    const values = sensors.flatMap((object) => this.tree.values(object));
    this.#history.push(...this.#timed(values.filter(({ path }) => path.resourceId === SENSOR.value)));
    this.#history.splice(0, Math.max(0, this.#history.length - MAX_HISTORY));
  }

  #timed(values: readonly PlacedValue[]): TimedValue[] {
    const now = this.#clock.now() / 1000;
    return values.map((value) => ({ ...value, time: now }));
  }

  #answer(request: CoapRequest): CoapResponse {
    if (request.observe === 1) this.#observations.cancel(request.token);
    return this.#refusing(request, () => {
      const done = perform(this.#state, request, (path, args) =>
        execute(path, args, this.tree, {
          reboot: () => this.#reboot(),
          factoryReset: () => this.#factoryReset(),
          disable: () => this.#disable(),
          updateRegistration: () => void this.update(),
          firmware: this.#firmware,
        }),
      );
      this.#follow(done);
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
      // RFC 7252 §5.5.2: a diagnostic payload, for people.
      const message = error instanceof Error ? error.message : String(error);
      response = { code: error instanceof Refusal ? error.code : '5.00', payload: Buffer.from(message) };
    }
    this.#log(describeRequest(this.#state, request, response));
    return response;
  }

  /** What an operation brings about beyond its answer. */
  #follow({ operation, paths }: Answered): void {
    if (operation === 'write-attributes') this.#observations.attributesChanged();
    if (operation !== 'write') return;
    const [path] = paths;
    const wrote = (resourceId: number): boolean => path?.contains(Path.of(5, 0, resourceId)) ?? false;
    if (path?.resourceId !== null && wrote(FIRMWARE.package)) this.#firmware.packageWritten();
    if (path?.resourceId !== null && wrote(FIRMWARE.uri)) void this.#firmware.uriWritten();
    if (path?.equals(CURRENT_TIME)) this.#setTime();
  }

  /** The clock goes on from the time that was written. */
  #setTime(): void {
    const ahead = this.#number(CURRENT_TIME) - this.#state.now();
    this.tree.setResource(CURRENT_TIME, () => time(this.#state.now() + ahead));
  }

  /** An Update tells the server of a lifetime, a binding and an object list that are others. */
  #changed(path: Path): void {
    this.#observations.changed(path);
    const isServer = path.objectId === 1 && path.resourceId === SERVER.lifetime;
    if ((isServer || path.level === 'instance') && this.location !== null && !this.#booting) {
      this.#after('update', 0, () => void this.update());
    }
  }

  /** As it left the factory. */
  #furnish(): void {
    for (const [objectId, { resources }] of this.#objects) {
      for (const id of this.tree.instanceIds(objectId)) this.tree.remove(Path.of(objectId, id));
      this.tree.addInstance(objectId, 0, resources());
    }
  }

  /** The answer leaves first; then the device is gone for a moment, and registers anew. */
  #reboot(): void {
    this.#log('reboots');
    this.#after('boot', 0, () => {
      this.#booting = true;
      this.#observations.clear();
      this.#state.attributes.forget(Path.root);
      this.#after('boot', BOOT_MS, () => {
        this.#booting = false;
        void this.#registration?.register();
      });
    });
  }

  #factoryReset(): void {
    this.#log('forgets all that was written');
    this.#after('factory reset', 0, () => {
      this.#furnish();
      this.#reboot();
    });
  }

  #disable(): void {
    const seconds = this.#number(Path.of(1, 0, SERVER.disableTimeout));
    this.#log(`is disabled for ${seconds} s`);
    this.#after('disable', 0, () => {
      this.#observations.clear();
      void this.#registration?.deregister();
      this.#after('disable', seconds * 1000, () => void this.#registration?.register());
    });
  }

  #stayAwake(): void {
    if (!this.#options.queue) return;
    const awakeMs = this.#options.awakeMs ?? 93_000;
    if (this.#clock.now() > this.#awakeUntil) this.#log('wakes');
    this.#awakeUntil = this.#clock.now() + awakeMs;
    this.#after('sleep', awakeMs + 1, () => this.#log('sleeps'));
  }

  /** One timer of each name; the later one takes the place of the earlier. */
  #after(name: string, ms: number, task: () => void): void {
    this.#timers.get(name)?.cancel();
    if (!this.#stopped) this.#timers.set(name, this.#clock.after(ms, task));
  }

  #repeat(name: string, ms: number, task: () => void): void {
    if (ms <= 0) return;
    this.#after(name, ms, () => {
      task();
      this.#repeat(name, ms, task);
    });
  }

  #number(path: Path): number {
    return numberOf(this.tree.value(path)) ?? 0;
  }

  #binding(): string {
    return this.#options.queue && this.#state.lwm2m === '1.0' ? 'UQ' : 'U';
  }

  /** The object list (Core 1.2 §6.2.1): instances by their links, versions and empty objects by the object's own. */
  #links(): string {
    const { lwm2m } = this.#state;
    const spoken = ADVERTISED[lwm2m].join(' ');
    const root: Link = { uri: '/', attributes: { rt: 'oma.lwm2m', ...(spoken === '' ? {} : { ct: spoken }) } };
    const objects = [...this.#objects].flatMap(([objectId, { definition }]): Link[] => {
      const ver = toldVersion(lwm2m, definition);
      const instances = this.tree.instanceIds(objectId).map((id) => ({ uri: `/${objectId}/${id}`, attributes: {} }));
      const object = { uri: `/${objectId}`, attributes: ver === null ? {} : { ver } };
      return ver === null && instances.length > 0 ? instances : [object, ...instances];
    });
    return formatLinks([root, ...objects]);
  }

  #object(objectId: number, lwm2m: Lwm2mVersion, model: ObjectModel, now: () => number): DeviceObject {
    const { endpoint, lifetime = 300, queue = false } = this.#options;
    const binding = queue && lwm2m === '1.0' ? 'UQ' : 'U';
    const object = deviceObject(objectId, { lwm2m, model, lifetime, binding, serialNumber: endpoint, now });
    if (object === undefined) throw new Error(`no definition of object ${objectId} is known`);
    return object;
  }
}
