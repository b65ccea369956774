import {
  registryModel,
  type Admission,
  type AwakeProbe,
  type Discovery,
  type Lwm2mHandlers,
  type ObservationRecord,
  type ReadingBatch,
  type RegisterRequest,
  type Registration,
} from '../../src/lwm2m/index.ts';

/** Handlers that admit every device under its endpoint name and record all calls. */
export class RecordingHandlers implements Lwm2mHandlers {
  /** The calls in order: `registered dev1`, `updated dev1 moved`, … */
  readonly events: string[] = [];
  readonly batches: ReadingBatch[] = [];
  readonly undecoded: { path: string; reason: string; origin: string }[] = [];
  readonly observations: ObservationRecord[] = [];
  readonly heardAt: number[] = [];
  /** `dev1 awake after 5000` */
  readonly probes: string[] = [];
  /** A test may replace it to refuse, to wait or to fail. */
  admission: (request: RegisterRequest) => Promise<Admission> = async ({ endpoint }) => ({
    admitted: true,
    deviceKey: endpoint ?? 'by identity',
    endpoint: endpoint ?? 'by identity',
    model: registryModel(),
  });
  /** Every store waits for this; a test may replace it. */
  store: (what: string) => Promise<void> = async () => {};
  profiles: ReadonlyMap<string, string> = new Map();
  onReady: (registration: Registration) => void = () => {};
  onSleeping: (registration: Registration, asleep: boolean) => void = () => {};

  admit(request: RegisterRequest): Promise<Admission> {
    return this.admission(request);
  }

  async profileObjects(profileId: string) {
    const uris = this.profiles.get(profileId)?.split(',');
    return uris?.map((uri) => ({ uri, attributes: {} })) ?? null;
  }

  async registered(registration: Registration, previous: Registration | null): Promise<void> {
    await this.#record(`registered ${registration.deviceKey}${previous ? ' again' : ''}`);
  }

  async updated(registration: Registration, _previous: Registration, moved: boolean): Promise<void> {
    await this.#record(`updated ${registration.deviceKey}${moved ? ' moved' : ''}`);
  }

  async moved(registration: Registration): Promise<void> {
    await this.#record(`moved ${registration.deviceKey} to ${registration.peer.address}`);
  }

  async instancesChanged({ deviceKey, objects }: Registration): Promise<void> {
    const instances = objects.flatMap(({ objectId, instanceIds }) => instanceIds.map((id) => `/${objectId}/${id}`));
    await this.#record(`instances of ${deviceKey}: ${instances.join(' ')}`);
  }

  disconnected(registration: Registration): void {
    this.events.push(`disconnected ${registration.deviceKey}`);
  }

  async ended(registration: Registration, end: string): Promise<void> {
    await this.#record(`ended ${registration.deviceKey} ${end}`);
  }

  ready(registration: Registration, after: string): void {
    this.events.push(`ready ${registration.deviceKey} ${after}`);
    this.onReady(registration);
  }

  async readings(batch: ReadingBatch): Promise<void> {
    await this.store('readings');
    this.batches.push(batch);
  }

  async discovered({ deviceKey }: Registration, { resources }: Discovery): Promise<void> {
    await this.#record(`resources of ${deviceKey}: ${resources.join(' ')}`);
  }

  async undecodable(
    _registration: Registration,
    { path, reason, origin }: { path: string; reason: string; origin: string },
  ): Promise<void> {
    await this.store('undecodable');
    this.undecoded.push({ path, reason, origin });
  }

  async observationStarted(observation: ObservationRecord): Promise<void> {
    this.observations.push(observation);
    await this.#record(`observing ${observation.paths.join(' ')}`);
  }

  async observationEnded(observation: ObservationRecord, reason: string): Promise<void> {
    await this.#record(`not observing ${observation.paths.join(' ')} ${reason}`);
  }

  heard(_registration: Registration, at: number): void {
    this.heardAt.push(at);
  }

  sleeping(registration: Registration, asleep: boolean): void {
    this.events.push(`${registration.deviceKey} ${asleep ? 'sleeps' : 'woke'}`);
    this.onSleeping(registration, asleep);
  }

  probed(registration: Registration, { quietMs, answered }: AwakeProbe): void {
    this.probes.push(`${registration.deviceKey} ${answered ? 'awake' : 'asleep'} after ${quietMs}`);
  }

  /** The received values, as `/3/0/9=100`. */
  get values(): string[] {
    return this.batches.flatMap(({ decoded }) => decoded.readings.map(({ path, value }) => `${path}=${String(value)}`));
  }

  /** Makes every store wait until the returned function is called. */
  hold(): () => void {
    const waiting: (() => void)[] = [];
    this.store = () => new Promise((resolve) => void waiting.push(resolve));
    return () => {
      this.store = async () => {};
      for (const resolve of waiting) resolve();
    };
  }

  async #record(what: string): Promise<void> {
    await this.store(what);
    this.events.push(what);
  }
}
