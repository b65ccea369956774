import { randomBytes } from 'node:crypto';
import { codes } from '../../src/coap/index.ts';
import type { AutoProvisionLimits } from '../../src/fleet/devices/index.ts';
import { createEventBus, type EventBus } from '../../src/events/index.ts';
import {
  createAccess,
  createCredentials,
  createFleet,
  DEFAULT_TENANT,
  ensureDefaultTenant,
  HandshakeLog,
  Seal,
  type Actor,
  type CredentialGate,
  type DeviceStatusEvent,
  type DeadLetter,
  type Fleet,
  type FleetEvents,
  type FleetSnapshot,
  type ReadingRates,
  type SmsTrigger,
  type TelemetryBatch,
  type TelemetrySink,
  type TenantId,
} from '../../src/fleet/index.ts';
import {
  createLwm2mServer,
  registryModel,
  type BootstrapHandlers,
  type Lwm2mHandlers,
  type Lwm2mServer,
} from '../../src/lwm2m/index.ts';
import { tenants, type Store } from '../../src/store/index.ts';
import { SimulatedNetwork } from '../coap/network.ts';
import { ScriptedDevice, SERVER, type AskedOfDevice, type DeviceAnswer } from '../lwm2m/scripted-device.ts';

/** Collects the readings, status events and dead letters that the fleet hands to its sink, so that a test can check them. */
export class RecordingSink implements TelemetrySink {
  readonly batches: TelemetryBatch[] = [];
  readonly events: DeviceStatusEvent[] = [];
  readonly letters: DeadLetter[] = [];

  async record(_tx: unknown, batches: readonly TelemetryBatch[]): Promise<() => void> {
    return () => void this.batches.push(...batches);
  }

  async enqueueStatus(_tx: unknown, events: readonly DeviceStatusEvent[]): Promise<() => void> {
    return () => void this.events.push(...events);
  }

  async deadLetter(_tx: unknown, letter: DeadLetter): Promise<void> {
    this.letters.push(letter);
  }
}

/** A fleet over a real store and a real LwM2M server, on a simulated network with a clock of its own. */
export interface FleetWorld {
  readonly fleet: Fleet;
  readonly server: Lwm2mServer;
  readonly handlers: Lwm2mHandlers;
  readonly bootstrapHandlers: BootstrapHandlers;
  /** The key that seals the secrets in the database. */
  readonly seal: Seal;
  readonly network: SimulatedNetwork;
  readonly bus: EventBus<FleetEvents>;
  readonly sink: RecordingSink;
  readonly warnings: string[];
  /** The lines of level info. */
  readonly infos: (object & { readonly message: string })[];
  /** Advances the clock, and waits for the transactions that start in this time. */
  advance(ms: number): Promise<void>;
  /** Waits until `work` is done, and advances the clock meanwhile. */
  during<T>(work: Promise<T>): Promise<T>;
  device(address?: string): Device;
  /** Ends the session of the device; the world's transport must have sessions. */
  disconnect(device: Device): void;
  snapshot(): FleetSnapshot;
  stop(): Promise<void>;
}

export const ADMIN: Actor = { tenantId: DEFAULT_TENANT, role: 'admin', subject: 'admin-token', keyId: null };
/** The admin of a second tenant, which `otherTenant` makes. */
export const OTHER: Actor = { tenantId: 'globex' as TenantId, role: 'admin', subject: 'key:1', keyId: '1' };

export async function otherTenant(store: Store): Promise<void> {
  const row = { id: OTHER.tenantId, name: 'Globex', createdAt: new Date() };
  await store.asSystem((tx) => tx.insert(tenants).values(row).onConflictDoNothing());
}

/** Credentials where no endpoint has any. */
const OPEN: CredentialGate = { holders: async () => new Map(), secured: async () => new Set() };

export async function fleetWorld(
  opened: Store,
  options: {
    /** True: with limits that no test reaches. */
    autoProvision?: boolean | AutoProvisionLimits;
    noSecBootstrap?: boolean;
    requestBurst?: number;
    readings?: ReadingRates;
    credentials?: CredentialGate;
    network?: SimulatedNetwork;
    smsTrigger?: SmsTrigger;
    transport?: 'udp' | 'dtls' | 'tcp';
  } = {},
): Promise<FleetWorld> {
  const { store, isIdle } = counted(opened);
  const network = options.network ?? new SimulatedNetwork();
  const { clock } = network;
  const bus = createEventBus<FleetEvents>();
  const sink = new RecordingSink();
  const warnings: string[] = [];
  const warn = (details: object, message: string): void =>
    void warnings.push(`${message} ${'err' in details ? String(details.err) : ''}`.trim());
  const infos: FleetWorld['infos'] = [];
  const log = {
    info: (details: object, message: string) => void infos.push({ ...details, message }),
    warn,
    error: warn,
  };
  await ensureDefaultTenant(store, clock);
  const transport = network.transport(SERVER);
  const endpoint = network.endpoint(SERVER, { transport });
  const seal = new Seal(randomBytes(32));
  const running = createFleet({
    store,
    bus,
    lwm2m: () => server,
    registry: registryModel(),
    telemetry: sink,
    access: createAccess(store, bus, clock),
    gate: options.credentials ?? OPEN,
    credentials: createCredentials({ store, clock, bus, seal }),
    seal,
    handshakes: new HandshakeLog({ store, clock, log }),
    clock,
    settings: {
      autoProvision: limitsOf(options.autoProvision ?? true),
      noSecBootstrap: options.noSecBootstrap ?? true,
      readings: options.readings ?? { perDevice: 1_000_000, perTenant: null },
      watching: { lingerMs: 30_000, requestsPerMinute: 60, requestBurst: options.requestBurst ?? 200 },
    },
    log,
    ...(options.smsTrigger && { smsTrigger: options.smsTrigger }),
  });
  const server: Lwm2mServer = createLwm2mServer({
    endpoints: [{ endpoint, transport: options.transport ?? 'udp' }],
    handlers: running.handlers,
    clock,
    onFault: (error, doing) => warn({ err: error }, doing),
  });

  /** Time stands still while the database works. */
  async function quiet(): Promise<void> {
    for (let rounds = 0; rounds < 4; rounds++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!isIdle()) rounds = -1;
    }
  }
  async function advance(ms: number): Promise<void> {
    await quiet();
    // A message takes a millisecond, and between two of them the database does its work: the last ones are small.
    const small = Math.min(ms, 40);
    const leap = (ms - small) / 10;
    const steps = [...Array<number>(leap > 0 ? 10 : 0).fill(leap), ...Array<number>(small).fill(1)];
    for (const step of steps) {
      await clock.advance(step);
      await quiet();
    }
  }
  async function during<T>(work: Promise<T>): Promise<T> {
    const progress = { done: false };
    const mark = (): void => {
      progress.done = true;
    };
    work.then(mark, mark);
    for (let rounds = 0; !progress.done && rounds < 500; rounds++) await advance(1);
    if (!progress.done) throw new Error('it has not ended within half a second of network time');
    return work;
  }

  await running.start();
  return {
    fleet: running.fleet,
    server,
    handlers: running.handlers,
    bootstrapHandlers: running.bootstrapHandlers,
    seal,
    network,
    bus,
    sink,
    warnings,
    infos,
    advance,
    during,
    device: (address = `192.0.2.${++addresses}`) => new Device(network, advance, address),
    disconnect: ({ scripted }) => transport.peerGone(scripted.peer),
    snapshot: () => running.snapshot(),
    async stop() {
      // Stops the LwM2M server first and then the fleet, as main does.
      const stopped = Promise.all([server.stop(), running.stop()]);
      await during(stopped);
      await endpoint.close();
      bus.close();
    },
  };
}

function limitsOf(autoProvision: boolean | AutoProvisionLimits): AutoProvisionLimits | null {
  if (autoProvision === true) return { perNetwork: 10_000, total: 100_000 };
  return autoProvision === false ? null : autoProvision;
}

/** Each device has an address of its own: the database remembers those of earlier tests. */
let addresses = 2;

/** Transactions that run: of every world, since a device may outlive the one that it was made in. */
let running = 0;

async function counting<T>(work: () => Promise<T>): Promise<T> {
  running++;
  try {
    return await work();
  } finally {
    running--;
  }
}

/** Counts the transactions that run, so that a test can wait for them without guessing how long they take. */
function counted(opened: Store): { store: Store; isIdle: () => boolean } {
  const store: Store = {
    ...opened,
    asTenant: (tenantId, work) => counting(() => opened.asTenant(tenantId, work)),
    asSystem: (work) => counting(() => opened.asSystem(work)),
  };
  return { store, isIdle: () => running === 0 };
}

const TEMPERATURE_SENSOR = '</1/0>,</3/0>,</3303/0>';

/** A device that answers reads in plain text from `values`, and accepts every other request. */
export class Device {
  readonly scripted: ScriptedDevice;
  readonly values = new Map<string, string>([
    ['/3/0/9', '80'],
    ['/3303/0/5700', '22.5'],
  ]);
  /** Answers that replace the usual ones, by `METHOD /path`. */
  readonly answers = new Map<string, DeviceAnswer | null>();
  readonly observing = new Map<string, AskedOfDevice>();
  #sequence = 1;
  readonly #advance: (ms: number) => Promise<void>;

  constructor(network: SimulatedNetwork, advance: (ms: number) => Promise<void>, address?: string) {
    this.#advance = advance;
    this.scripted = new ScriptedDevice(network, address);
    this.scripted.onAsked = (asked) => this.#answer(asked);
  }

  /** The requests that the device got, in order: `METHOD /path`. */
  get asked(): string[] {
    return this.scripted.asked.map(({ line }) => line);
  }

  async register(endpoint: string, query: readonly string[] = [], links = TEMPERATURE_SENSOR): Promise<string> {
    const version = query.some((parameter) => parameter.startsWith('lwm2m=')) ? [] : ['lwm2m=1.1'];
    const lifetime = query.some((parameter) => parameter.startsWith('lt=')) ? [] : ['lt=300'];
    const messageId = this.scripted.send({
      method: 'POST',
      path: '/rd',
      query: [`ep=${endpoint}`, ...lifetime, ...version, ...query],
      contentFormat: 40,
      payload: links,
    });
    await this.#advance(40);
    const { code, location } = this.scripted.answerTo(messageId);
    this.scripted.location = `/${location}`;
    return code;
  }

  async send(method: 'POST' | 'DELETE', path: string, payload?: { format: number; text: string }): Promise<string> {
    const body = payload ? { contentFormat: payload.format, payload: payload.text } : {};
    const messageId = this.scripted.send({ method, path, ...body });
    await this.#advance(40);
    return this.scripted.answerTo(messageId).code;
  }

  /** Sends a notification of an observed path, as text; resolves with how the server answered it. */
  async notify(path: string, value: string): Promise<'ACK' | 'RST' | null> {
    const asked = this.observing.get(path);
    if (!asked) throw new Error(`${path} is not observed`);
    this.values.set(path, value);
    const content = { code: codes.content, contentFormat: 0, payload: value };
    const messageId = this.scripted.notify(asked, ++this.#sequence, content);
    await this.#advance(20);
    return this.scripted.acknowledgement(messageId);
  }

  #answer(asked: AskedOfDevice): DeviceAnswer | null {
    const line = asked.line.split('?')[0] ?? '';
    const scripted = this.answers.get(line);
    if (scripted !== undefined) return scripted;
    const [method, path = ''] = line.split(' ');
    if (method === 'GET' && asked.observe === 1) this.observing.delete(path);
    if (method === 'GET') {
      const value = this.values.get(path);
      if (value === undefined) return { code: codes.notFound };
      if (asked.observe === 0) this.observing.set(path, asked);
      const observe = asked.observe === 0 ? { observe: 1 } : {};
      return { code: codes.content, contentFormat: 0, payload: value, ...observe };
    }
    if (method === 'DELETE') return { code: codes.deleted };
    return { code: codes.changed };
  }
}
