import { vi } from 'vitest';
import { type TreelineProcess, until } from '../../e2e/treeline-process.ts';

export interface Value {
  readonly path: string;
  readonly type: string | null;
  readonly value: unknown;
}

/** What became of one operation: the RPC's end, and what the device answered. */
export interface Outcome {
  readonly status: string;
  /** The CoAP code, of a success or a refusal; null without an answer. */
  readonly code: string | null;
  readonly contentFormat: number | null;
  /** By path; a multiple resource by the paths of its instances. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What Discover told: uri to attributes. */
  readonly links: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
  readonly instanceId: number | null;
  /** For people: why it did not succeed. */
  readonly message: string | null;
}

export interface Rpc {
  readonly status: string;
  readonly result: {
    readonly code: string | null;
    readonly contentFormat: number | null;
    readonly values: readonly Value[] | null;
    readonly createdInstanceId: number | null;
  } | null;
  readonly error: { readonly coapCode: string | null; readonly message: string } | null;
}

/** How long a state is looked for, and how often. */
const LOOKING = { timeout: 30_000, interval: 100 };

type Links = readonly { uri: string; attributes: readonly { name: string; value: string | null }[] }[];
type Input = Readonly<Record<string, unknown>>;

export interface Change {
  readonly initial: boolean;
  readonly resources: readonly { readonly path: string; readonly value: unknown; readonly source: string }[];
}

/** A registered device, asked through the product's own API: one method for each operation, with its code, format and values. */
export class AskedDevice {
  readonly treeline: TreelineProcess;
  readonly id: string;

  constructor(treeline: TreelineProcess, id: string) {
    this.treeline = treeline;
    this.id = id;
  }

  /** Waits until the endpoint is registered and awake. */
  static async online(treeline: TreelineProcess, endpoint: string): Promise<AskedDevice> {
    const id = await vi.waitFor(async () => {
      const { device } = await treeline.query<{ device: { id: string; status: string } | null }>(
        'query ($endpoint: String!) { device(endpoint: $endpoint) { id status } }',
        { endpoint },
      );
      if (device?.status !== 'ONLINE') throw new Error(`${endpoint} is ${device?.status ?? 'unknown'}`);
      return device.id;
    }, LOOKING);
    return new AskedDevice(treeline, id);
  }

  /** Waits until its status is that. */
  async reaches(status: string): Promise<void> {
    await vi.waitFor(async () => {
      const { device } = await this.treeline.query<{ device: { status: string } }>(
        'query ($id: ID!) { device(id: $id) { status } }',
        { id: this.id },
      );
      if (device.status !== status) throw new Error(`it is ${device.status}, not ${status}`);
    }, LOOKING);
  }

  read(paths: readonly string[], contentFormat?: number): Promise<Outcome> {
    return this.#ask('readResources', 'ReadResources', { paths, contentFormat });
  }

  /** A Read in the format that the device chooses. */
  readWithoutAccept(path: string): Promise<Outcome> {
    return this.#ask('readResources', 'ReadResources', { paths: [path], withoutAccept: true });
  }

  /** PUT of each path, or with UPDATE one POST of an instance, an iPATCH of several. */
  write(values: Readonly<Record<string, unknown>>, options: Input = {}): Promise<Outcome> {
    const list = Object.entries(values).map(([path, value]) => ({ path, value }));
    return this.#ask('writeResources', 'WriteResources', { values: list, ...options });
  }

  execute(path: string, args?: readonly Input[]): Promise<Outcome> {
    return this.#ask('executeResource', 'ExecuteResource', { path, arguments: args });
  }

  create(objectId: number, instanceId: number | null, values: Readonly<Record<string, unknown>>): Promise<Outcome> {
    const list = Object.entries(values).map(([path, value]) => ({ path, value }));
    return this.#ask('createInstance', 'CreateInstance', { objectId, instanceId, values: list });
  }

  delete(path: string): Promise<Outcome> {
    return this.#ask('deleteInstance', 'DeleteInstance', { path });
  }

  discover(path: string, depth?: number): Promise<Outcome> {
    const links = 'links { uri attributes { name value } }';
    return this.#ask('discoverResources', 'DiscoverResources', { path, depth }, links);
  }

  writeAttributes(path: string, attributes: Input): Promise<Outcome> {
    return this.#ask('writeAttributes', 'WriteAttributes', { path, attributes });
  }

  observe(paths: readonly string[], options: Input = {}): Promise<Outcome> {
    return this.#ask('observeResources', 'ObserveResources', { paths, ...options });
  }

  cancelObservation(paths: readonly string[], passive = false): Promise<Outcome> {
    return this.#ask('cancelObservation', 'CancelObservation', { paths, passive });
  }

  /** Every value that comes in from now on; nothing is observed for it. */
  async *changes(): AsyncGenerator<Change> {
    const events = this.treeline.webSocket<{ resourceChanged: Change }>(
      'subscription ($id: ID!) { resourceChanged(deviceId: $id) { initial resources { path value source } } }',
      { id: this.id },
    );
    for await (const { resourceChanged } of events) yield resourceChanged;
  }

  /** Runs `cause` once the stream of changes stands, and resolves with the first change that `wanted` accepts. */
  async changed(cause: () => unknown, wanted: (change: Change) => boolean): Promise<Change> {
    const changes = await this.changesUntil(cause, wanted);
    return changes.at(-1) ?? { initial: false, resources: [] };
  }

  /** The same, with all changes that came before it. */
  async changesUntil(cause: () => unknown, last: (change: Change) => boolean): Promise<readonly Change[]> {
    const seen: Change[] = [];
    await until(this.changes(), (change) => {
      if (change.initial) {
        void cause();
        return false;
      }
      seen.push(change);
      return last(change);
    });
    return seen;
  }

  /** When the value came that the product knows, in milliseconds. */
  async toldAt(path: string): Promise<number> {
    const { device } = await this.treeline.query<{ device: { resource: { timestamp: string } } }>(
      'query ($id: ID!, $path: ResourcePath!) { device(id: $id) { resource(path: $path) { timestamp } } }',
      { id: this.id, path },
    );
    return Date.parse(device.resource.timestamp);
  }

  /** Without a change the device notifies all the same, `pmax` after it did before: the value's time is a later one. */
  async isToldAgain(path: string): Promise<void> {
    const before = await this.toldAt(path);
    await vi.waitFor(async () => {
      if ((await this.toldAt(path)) <= before) throw new Error(`${path} was not told again`);
    }, LOOKING);
  }

  /** The paths of each observation that runs on it, as the API tells them. */
  async observations(): Promise<readonly (readonly string[])[]> {
    const { device } = await this.treeline.query<{ device: { observations: { paths: string[] }[] } }>(
      'query ($id: ID!) { device(id: $id) { observations { paths } } }',
      { id: this.id },
    );
    return device.observations.map(({ paths }) => paths);
  }

  async registration(): Promise<{ readonly [field: string]: unknown } | null> {
    const { device } = await this.treeline.query<{ device: { registration: Record<string, unknown> | null } }>(
      `query ($id: ID!) { device(id: $id) {
        registration { location lifetime lwm2mVersion binding transport queueMode expiresAt objects { objectId instanceIds } }
      } }`,
      { id: this.id },
    );
    return device.registration;
  }

  /** A Read that is kept for as long as the device sleeps: the RPC's id. */
  async readWhenAwake(paths: readonly string[]): Promise<string> {
    const { readResources } = await this.treeline.query<{ readResources: { rpc: { id: string } } }>(
      `mutation ($input: ReadResourcesInput!) {
        readResources(input: $input) { ... on ReadResourcesPayload { rpc { id } } }
      }`,
      { input: { deviceId: this.id, paths, rpcMode: 'PERSISTENT' } },
    );
    return readResources.rpc.id;
  }

  /** Where an RPC stands, and what it was answered with. */
  async rpc(id: string): Promise<Rpc> {
    const { rpc } = await this.treeline.query<{ rpc: Rpc }>(
      'query ($id: ID!) { rpc(id: $id) { status result error { coapCode message } } }',
      { id },
    );
    return rpc;
  }

  /** Waits until the RPC's status is that. */
  async rpcReaches(id: string, status: string): Promise<Rpc> {
    const events = this.treeline.webSocket<{ rpcChanged: Rpc }>(
      'subscription ($id: ID!) { rpcChanged(id: $id) { status result error { coapCode message } } }',
      { id },
    );
    return (await until(events, ({ rpcChanged }) => rpcChanged.status === status)).rpcChanged;
  }

  async #ask(mutation: string, name: string, input: Input, more = ''): Promise<Outcome> {
    const fields = 'status result error { coapCode message }';
    const answer = await this.treeline.query<Record<string, { rpc?: Rpc; links?: Links; message?: string }>>(
      `mutation ($input: ${name}Input!) { ${mutation}(input: $input) {
        ... on ${name}Payload { rpc { ${fields} } ${more} }
        ... on UserError { message }
      } }`,
      { input: { deviceId: this.id, timeoutMs: 15_000, ...input } },
    );
    const { rpc, links = [], message } = answer[mutation] ?? {};
    if (rpc === undefined) throw new Error(`${mutation} was refused: ${message}`);
    const { result, error, status } = rpc;
    return {
      status,
      code: error === null ? (result?.code ?? null) : error.coapCode,
      contentFormat: result?.contentFormat ?? null,
      values: Object.fromEntries((result?.values ?? []).flatMap(instancesOf)),
      links: Object.fromEntries(
        links.map(({ uri, attributes }) => [uri, Object.fromEntries(attributes.map((it) => [it.name, it.value]))]),
      ),
      instanceId: result?.createdInstanceId ?? null,
      message: error?.message ?? null,
    };
  }
}

/** A multiple resource as its instances, which the test specification lists one by one. */
function instancesOf({ path, value }: Value): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).map(([id, instance]) => [`${path}/${id}`, instance]);
}
