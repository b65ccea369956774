import {
  registryModel,
  type Admission,
  type Lwm2mHandlers,
  type ObservationRecord,
  type ReadingBatch,
  type RegisterRequest,
  type Registration,
} from '../../src/lwm2m/index.ts';

/** A handlers that admits everybody, as the device of the endpoint's name, and writes down what it is told. */
export class RecordingHandlers implements Lwm2mHandlers {
  /** `registered dev1`, `updated dev1 moved`, … in order. */
  readonly events: string[] = [];
  readonly batches: ReadingBatch[] = [];
  readonly undecoded: { path: string; reason: string; origin: string }[] = [];
  readonly observations: ObservationRecord[] = [];
  readonly heardAt: number[] = [];
  /** Changed by a test to refuse, to wait or to fail. */
  admission: (request: RegisterRequest) => Promise<Admission> = async ({ endpoint }) => ({
    admitted: true,
    deviceKey: endpoint ?? 'by identity',
    endpoint: endpoint ?? 'by identity',
    model: registryModel(),
  });
  /** What storing anything waits for. */
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
    await this.#tell(`registered ${registration.deviceKey}${previous ? ' again' : ''}`);
  }

  async updated(registration: Registration, _previous: Registration, moved: boolean): Promise<void> {
    await this.#tell(`updated ${registration.deviceKey}${moved ? ' moved' : ''}`);
  }

  async ended(registration: Registration, end: string): Promise<void> {
    await this.#tell(`ended ${registration.deviceKey} ${end}`);
  }

  ready(registration: Registration, after: string): void {
    this.events.push(`ready ${registration.deviceKey} ${after}`);
    this.onReady(registration);
  }

  async readings(batch: ReadingBatch): Promise<void> {
    await this.store('readings');
    this.batches.push(batch);
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
    await this.#tell(`observing ${observation.paths.join(' ')}`);
  }

  async observationEnded(observation: ObservationRecord, reason: string): Promise<void> {
    await this.#tell(`not observing ${observation.paths.join(' ')} ${reason}`);
  }

  heard(_registration: Registration, at: number): void {
    this.heardAt.push(at);
  }

  sleeping(registration: Registration, asleep: boolean): void {
    this.events.push(`${registration.deviceKey} ${asleep ? 'sleeps' : 'woke'}`);
    this.onSleeping(registration, asleep);
  }

  /** What was read, as `/3/0/9=100`. */
  get values(): string[] {
    return this.batches.flatMap(({ decoded }) => decoded.readings.map(({ path, value }) => `${path}=${String(value)}`));
  }

  /** Lets everything that is stored wait; returns what lets it go on. */
  hold(): () => void {
    const waiting: (() => void)[] = [];
    this.store = () => new Promise((resolve) => void waiting.push(resolve));
    return () => {
      this.store = async () => {};
      for (const resolve of waiting) resolve();
    };
  }

  async #tell(what: string): Promise<void> {
    await this.store(what);
    this.events.push(what);
  }
}
