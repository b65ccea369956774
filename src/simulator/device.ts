import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { ContentFormat, formatLinks, Path, registryModel } from '../lwm2m/index.ts';
import type { Link, Lwm2mVersion, ObjectModel, TimedValue } from '../lwm2m/index.ts';
import { Account } from './account.ts';
import type { AccountOptions } from './account.ts';
import type { DeviceContents } from './device-state.ts';
import { drift } from './drift.ts';
import { execute } from './execution.ts';
import type { Actions } from './execution.ts';
import { Firmware } from './firmware.ts';
import { ADVERTISED } from './formats.ts';
import { DEVICE, deviceObject, FIRMWARE, SENSOR, SENSORS, explicitVersion } from './objects.ts';
import type { DeviceObject, ObjectsOptions } from './objects.ts';
import type { Answered } from './operations.ts';
import { readable } from './reading.ts';
import { ResourceTree } from './resource-tree.ts';
import type { PlacedValue } from './resource-tree.ts';
import { bindingOf } from './server-address.ts';
import { Timers } from './timers.ts';
import { numberOf, time } from './typed.ts';

const SERVER_OBJECT = 1;
const CORE_OBJECTS = [SERVER_OBJECT, 3, 5];
const CURRENT_TIME = Path.of(3, 0, DEVICE.currentTime);
const BOOT_MS = 1_000;
/** Time to send the response to the Bootstrap-Request Trigger before the device is stopped. */
const LAST_ANSWER_MS = 100;

export interface DeviceOptions {
  readonly endpoint: string;
  /**
   * The servers that the device registers with, at least one; the first has the instance /1/0. Without an Access
   * Control object, each server has all rights.
   */
  readonly accounts: readonly AccountOptions[];
  /** Object ids in addition to 1, 3 and 5. The model must contain them. */
  readonly objects: readonly number[];
  readonly lwm2m?: Lwm2mVersion;
  /** Queue mode: the radio is off `awakeMs` after the last message, by default 93 s (MAX_TRANSMIT_WAIT of RFC 7252). */
  readonly queue?: boolean;
  readonly awakeMs?: number;
  /** Milliseconds between changes of the measured values; 0: no changes. */
  readonly driftMs?: number;
  /** Milliseconds between Sends of the values measured since the last one, with their times; 0: no Sends. */
  readonly sendMs?: number;
  readonly model?: ObjectModel;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly log?: (line: string) => void;
  /**
   * Called when a server refuses the registration; the device stops retrying. Absent: it retries as long as it runs.
   */
  readonly refused?: () => void;
  /**
   * Called after the response to an Execute of the Bootstrap-Request Trigger (/1/x/9) was sent: the caller stops the
   * device and bootstraps it. Absent: the device has no bootstrap server account and answers 4.05.
   */
  readonly bootstrap?: () => void;
}

/**
 * A simulated LwM2M device. It registers, answers requests, sends notifications and de-registers when it is stopped.
 */
export class SimulatedDevice {
  readonly endpoint: string;
  readonly #options: DeviceOptions;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #contents: DeviceContents;
  readonly #accounts: readonly Account[];
  readonly #firmware: Firmware;
  readonly #timers: Timers;
  #booting = false;

  /**
   * Throws when the model does not contain one of the objects, or the LwM2M version does not support a server's
   * binding.
   */
  constructor(options: DeviceOptions) {
    const { endpoint, lwm2m = '1.1', model = registryModel(), clock = systemClock, log = () => {} } = options;
    this.endpoint = endpoint;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#timers = new Timers(clock);
    const bindings = [...new Set(options.accounts.map(({ server }) => bindingOf(server)))].join('');
    if (lwm2m === '1.0' && bindings !== 'U') throw new Error('LwM2M 1.0 does not support TCP; use version 1.1 or 1.2');
    const tree = new ResourceTree();
    const now = (): number => Math.floor(clock.now() / 1000);
    const bootstraps = options.bootstrap !== undefined;
    const furniture: ObjectsOptions = { lwm2m, model, bindings, serialNumber: endpoint, now, bootstraps };
    const objects = new Map([...CORE_OBJECTS, ...options.objects].map((id) => [id, known(id, furniture)]));
    this.#contents = { lwm2m, model, objects, tree, now };
    this.#firmware = new Firmware(tree, clock, () => this.#reboot());
    this.#accounts = options.accounts.map((account, instanceId) => this.#account(instanceId, account));
    this.#furnish();
    tree.listen((path) => {
      // However it was written, the clock continues from the new time.
      if (path.equals(CURRENT_TIME) && tree.has(path) && !tree.isComputed(path)) return this.#setTime();
      this.#accounts.forEach((account) => account.changed(path));
    });
  }

  /** Its resources. Servers read the values set here and are notified of changes. */
  get tree(): ResourceTree {
    return this.#contents.tree;
  }

  /** `/rd/…` at the first server; null while the device is not registered there. */
  get location(): string | null {
    return this.#accounts[0]?.location ?? null;
  }

  /** The number of observations of all servers. */
  get observationCount(): number {
    return this.#accounts.reduce((sum, account) => sum + account.observationCount, 0);
  }

  /**
   * Binds the ports and registers, with retries. Resolves after the first try; rejects when no port can be bound.
   */
  async start(): Promise<void> {
    const { driftMs = 5_000, sendMs = 0, random = Math.random } = this.#options;
    this.#timers.every('drift', driftMs, () => {
      drift(this.tree, random);
      if (sendMs > 0) this.#remember();
    });
    this.#timers.every('send', sendMs, () => this.#accounts.forEach((account) => void account.sendHistory()));
    await this.#each((account) => account.start());
  }

  /** De-registers and closes the ports. */
  async stop(): Promise<void> {
    this.#timers.stop();
    await this.#each((account) => account.stop());
  }

  /** Closes the ports without a De-register, as at a power loss: the registrations stay until they expire. */
  async vanish(): Promise<void> {
    this.#timers.stop();
    await this.#each((account) => account.vanish());
  }

  /** Sends an Update to each server. */
  async update(): Promise<void> {
    await this.#each((account) => account.update());
  }

  /**
   * Sends the readable values at the paths to every server (Core 1.2 §6.4.5). Resolves with the response code of the
   * first server; null without a response or while it is muted.
   */
  async send(paths: readonly Path[], contentFormat: number = ContentFormat.senmlCbor): Promise<string | null> {
    const values = paths.flatMap((path) => readable(this.#contents, path));
    const sent = contentFormat === ContentFormat.lwm2mCbor ? values : this.#timed(values);
    const [code = null] = await Promise.all(this.#accounts.map((account) => account.send(sent, contentFormat)));
    return code;
  }

  async #each(task: (account: Account) => Promise<void>): Promise<void> {
    await Promise.all(this.#accounts.map(task));
  }

  #account(instanceId: number, account: AccountOptions): Account {
    const { accounts, queue = false, awakeMs = 93_000, refused } = this.#options;
    const called = accounts.length > 1 ? `[${account.shortServerId}] ` : '';
    return new Account(instanceId, account, {
      endpoint: this.endpoint,
      contents: this.#contents,
      clock: this.#clock,
      log: (line) => this.#log(`${called}${line}`),
      queue,
      awakeMs,
      isRunning: () => !this.#booting,
      links: () => this.#links(),
      execute: (path, args) => execute(path, args, this.tree, this.#actions),
      performed: (done) => this.#follow(done),
      refused,
    });
  }

  get #actions(): Actions {
    return {
      reboot: () => this.#reboot(),
      factoryReset: () => this.#factoryReset(),
      disable: (instanceId) => this.#accounts[instanceId]?.disable(),
      bootstrap: () => this.#timers.after('bootstrap', LAST_ANSWER_MS, () => this.#options.bootstrap?.()),
      updateRegistration: (instanceId) => void this.#accounts[instanceId]?.update(),
      firmware: this.#firmware,
    };
  }

  #remember(): void {
    const sensors = Object.keys(SENSORS).map((objectId) => Path.of(Number(objectId)));
    const values = sensors.flatMap((object) => this.tree.values(object));
    const measured = this.#timed(values.filter(({ path }) => path.resourceId === SENSOR.value));
    for (const account of this.#accounts) account.remember(measured);
  }

  #timed(values: readonly PlacedValue[]): TimedValue[] {
    const now = this.#clock.now() / 1000;
    return values.map((value) => ({ ...value, time: now }));
  }

  /** Starts the effects of an operation: firmware updates. */
  #follow({ operation, paths }: Answered): void {
    if (operation !== 'write') return;
    const [path] = paths;
    const wrote = (resourceId: number): boolean => path?.contains(Path.of(5, 0, resourceId)) ?? false;
    if (path?.resourceId !== null && wrote(FIRMWARE.package)) this.#firmware.packageWritten();
    if (path?.resourceId !== null && wrote(FIRMWARE.uri)) void this.#firmware.uriWritten();
  }

  /** Makes the clock continue from the written time, and reports the change. */
  #setTime(): void {
    const { now } = this.#contents;
    const ahead = (numberOf(this.tree.value(CURRENT_TIME)) ?? 0) - now();
    this.tree.setResource(CURRENT_TIME, () => time(now() + ahead));
  }

  /** Sets all resources to their factory values. */
  #furnish(): void {
    for (const [objectId, { resources }] of this.#contents.objects) {
      for (const id of this.tree.instanceIds(objectId)) this.tree.remove(Path.of(objectId, id));
      if (objectId !== SERVER_OBJECT) this.tree.addInstance(objectId, 0, resources());
    }
    const server = this.#contents.objects.get(SERVER_OBJECT)?.resources;
    for (const [instanceId, account] of this.#accounts.entries()) {
      this.tree.addInstance(SERVER_OBJECT, instanceId, { ...server?.(), ...account.resources });
    }
  }

  /** After the response is sent, the device is unreachable for a moment and then registers again. */
  #reboot(): void {
    this.#log('reboots');
    this.#timers.after('boot', 0, () => {
      this.#booting = true;
      for (const account of this.#accounts) account.forget();
      this.#timers.after('boot', BOOT_MS, () => {
        this.#booting = false;
        void this.#each((account) => account.register());
      });
    });
  }

  #factoryReset(): void {
    this.#log('resets to factory values');
    this.#timers.after('factory reset', 0, () => {
      this.#furnish();
      this.#reboot();
    });
  }

  /**
   * The object list (Core 1.2 §6.2.1): a link per instance, and a link per object with a version or without instances.
   */
  #links(): string {
    const { lwm2m, objects } = this.#contents;
    const advertised = ADVERTISED[lwm2m].join(' ');
    const root: Link = { uri: '/', attributes: { rt: 'oma.lwm2m', ...(advertised === '' ? {} : { ct: advertised }) } };
    const links = [...objects].flatMap(([objectId, { definition }]): Link[] => {
      const ver = explicitVersion(lwm2m, definition);
      const instances = this.tree.instanceIds(objectId).map((id) => ({ uri: `/${objectId}/${id}`, attributes: {} }));
      const object = { uri: `/${objectId}`, attributes: ver === null ? {} : { ver } };
      return ver === null && instances.length > 0 ? instances : [object, ...instances];
    });
    return formatLinks([root, ...links]);
  }
}

function known(objectId: number, options: ObjectsOptions): DeviceObject {
  const object = deviceObject(objectId, options);
  if (object === undefined) throw new Error(`the model has no definition of object ${objectId}`);
  return object;
}
