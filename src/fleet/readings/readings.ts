import type { EventBus } from '../../events/index.ts';
import type { Reading } from '../../lwm2m/index.ts';
import type { Store, Transaction } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import { Batcher, type Log } from '../common/index.ts';
import { deviceKey, type DeviceKey } from '../devices/index.ts';
import type { MetricMapping } from '../profiles/index.ts';
import { treeChange, type DeviceDiscovery, type DeviceObjects, type DeviceReadings } from './last-values.ts';
import type { DeadLetter, TelemetryBatch, TelemetrySink } from './telemetry-sink.ts';
import { recordTreeSize } from './largest-tree.ts';
import { MOST_RESOURCES, type ResourceState, tooLargeChanges, TreeTooLarge, writeTree } from './tree.ts';

/** The events about values on the event bus. */
export interface ReadingEvents {
  /** The key is the device's key. */
  readonly resourceChanged: {
    readonly tenantId: TenantId;
    readonly deviceId: DeviceId;
    /** Empty: the states of the paths that subscriptions watch may have changed. */
    readonly resources: readonly ResourceState[];
  };
}

/** Why acknowledged readings are not stored. `not_registered`: the registration ended before the fleet got them. */
export type DropReason = 'not_registered';

/** Why readings are refused. `too_many_resources`: the device would have more than 10,000 resources. */
export type RefusalReason = 'too_many_resources';

/** The readings of a device that are not stored because of the device's own error. `message` is for the device. */
export interface ReadingsRefusal {
  readonly reason: RefusalReason;
  readonly message: string;
}

/** The modules that `Readings` calls. */
export interface ReadingsParts {
  readonly store: Store;
  readonly sink: TelemetrySink;
  readonly bus: EventBus<ReadingEvents>;
  readonly log: Log;
}

/** A batch of readings of one device with the mappings to metrics. */
export interface ReadingsArrival {
  readonly kind: 'readings';
  readonly tenantId: TenantId;
  readonly batch: DeviceReadings;
  readonly mappings: readonly MetricMapping[];
  /** As in `ReadingBatch`: not null for values that are older than those of the tree. */
  readonly olderThan: number | null;
  /** As in `ReadingBatch`. */
  readonly message: string | null;
  /** The readings of the batch that can become telemetry. Empty for values that the server wrote. */
  readonly measured: readonly Reading[];
}

/** The list of objects of a Register or an Update: what it does not name leaves the tree. */
export interface ObjectsArrival {
  readonly kind: 'objects';
  readonly tenantId: TenantId;
  readonly batch: DeviceObjects;
}

/** The answer to a Discover. */
export interface DiscoveryArrival {
  readonly kind: 'discovered';
  readonly tenantId: TenantId;
  readonly batch: DeviceDiscovery;
}

/** A batch of readings, a list of objects, the answer to a Discover, or a payload that could not be decoded. */
export type Arrival =
  | ReadingsArrival
  | ObjectsArrival
  | DiscoveryArrival
  | { readonly kind: 'undecodable'; readonly tenantId: TenantId; readonly letter: DeadLetter };

/** The counts of `Readings` for the metrics page. */
export interface ReadingsSnapshot {
  readonly waiting: number;
  readonly running: number;
  /** Readings that were acknowledged but not stored, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Messages of devices whose readings were refused, by reason. */
  readonly refused: Readonly<Record<RefusalReason, number>>;
}

const TOO_LARGE: ReadingsRefusal = { reason: 'too_many_resources', message: new TreeTooLarge().message };

/** The devices whose trees were found to be full. Their Sends are checked before they are stored. */
const MOST_FULL_DEVICES = 10_000;

/**
 * Stores the readings of devices: the last values and the telemetry in one transaction. Readings of a tenant that arrive
 * together share a transaction. The events are published after the commit.
 *
 * A device whose tree would get too large is refused without an effect on the others: its first refused change makes the
 * batch fail, which the batcher splits; later ones are found by a query before the batch is stored.
 */
export class Readings {
  readonly #store: Store;
  readonly #sink: TelemetrySink;
  readonly #bus: EventBus<ReadingEvents>;
  readonly #batcher: Batcher<Arrival, ReadingsRefusal | null>;
  readonly #log: Log;
  readonly #full = new Set<DeviceId>();
  readonly #refused: Record<RefusalReason, number> = { too_many_resources: 0 };
  readonly #dropped: Record<DropReason, number> = { not_registered: 0 };

  constructor({ store, sink, bus, log }: ReadingsParts) {
    this.#store = store;
    this.#sink = sink;
    this.#bus = bus;
    this.#log = log;
    this.#batcher = new Batcher({
      lane: (arrival) => arrival.tenantId,
      largestBatch: 512,
      run: (tenantId, arrivals) => this.#storeAll(tenantId, arrivals),
    });
  }

  /**
   * Stores the arrival; resolves after the commit, or with the reason when the device is at fault. Rejects when the
   * database can't store it.
   */
  async store(arrival: Arrival): Promise<ReadingsRefusal | null> {
    if (arrival.kind === 'discovered') return this.#batcher.add(arrival).catch(refusalOf);
    if (arrival.kind !== 'readings') return this.#batcher.add(arrival);
    const refusal =
      changesTree(arrival) && isTooLarge(arrival.batch) ? TOO_LARGE : await this.#batcher.add(arrival).catch(refusalOf);
    if (refusal !== null) this.#count(arrival, refusal);
    return refusal;
  }

  /** Resolves when no arrival is waiting or being stored. */
  idle(): Promise<void> {
    return this.#batcher.idle();
  }

  /** Counts readings that cannot be stored and logs the reason. */
  drop(deviceKey: DeviceKey, reason: DropReason, count: number): void {
    this.#dropped[reason] += count;
    this.#log.warn({ device: deviceKey, reason, count }, 'readings dropped: the device is not registered');
  }

  snapshot(): ReadingsSnapshot {
    return { ...this.#batcher.snapshot(), dropped: { ...this.#dropped }, refused: { ...this.#refused } };
  }

  #count({ tenantId, batch }: ReadingsArrival, { reason, message }: ReadingsRefusal): void {
    const { deviceId, origin } = batch;
    this.#refused[reason]++;
    if (this.#full.has(deviceId)) return;
    // One line per device: the counter tells how often it happens.
    this.#log.warn({ device: deviceKey(tenantId, deviceId), origin }, message);
    for (const oldest of this.#full) {
      if (this.#full.size < MOST_FULL_DEVICES) break;
      this.#full.delete(oldest);
    }
    this.#full.add(deviceId);
  }

  /** Finds the Sends that the trees of full devices can't take. A change with a scope can also remove values. */
  async #tooLarge(tx: Transaction, arrivals: readonly ReadingsArrival[]): Promise<ReadonlySet<Arrival>> {
    const suspects = arrivals.filter(
      (arrival) => changesTree(arrival) && arrival.batch.scope.length === 0 && this.#full.has(arrival.batch.deviceId),
    );
    if (suspects.length === 0) return new Set();
    const tooLarge = await tooLargeChanges(
      tx,
      suspects.map(({ batch }) => treeChange([batch])),
    );
    return new Set(suspects.filter((_, index) => tooLarge.has(index)));
  }

  async #storeAll(tenantId: string, arrivals: readonly Arrival[]): Promise<(ReadingsRefusal | null)[]> {
    const letters = arrivals.filter((arrival) => arrival.kind === 'undecodable');
    const all = arrivals.filter((arrival) => arrival.kind === 'readings');
    const changes = arrivals.filter((arrival) => arrival.kind !== 'undecodable');
    const { states, announce, tooLarge } = await this.#store.asTenant(tenantId, async (tx) => {
      const refused = await this.#tooLarge(tx, all);
      const accepted = all.filter((arrival) => !refused.has(arrival));
      const stored = changes.filter((arrival) => !refused.has(arrival) && changesTree(arrival));
      const written = await writeTree(tx, tenantId, treeChange(stored.map(({ batch }) => batch)));
      const measured = accepted.flatMap(measurementsOf);
      const recorded = measured.length > 0 ? await this.#sink.record(tx, measured) : () => {};
      for (const { letter } of letters) await this.#sink.deadLetter(tx, letter);
      if (written.largest) await recordTreeSize(tx, tenantId, written.largest);
      return { states: written.states, announce: recorded, tooLarge: refused };
    });
    announce();
    this.#publish(all[0]?.tenantId, states);
    return arrivals.map((arrival) => (tooLarge.has(arrival) ? TOO_LARGE : null));
  }

  #publish(tenantId: TenantId | undefined, states: readonly ResourceState[]): void {
    if (tenantId === undefined) return;
    const byDevice = new Map<DeviceId, ResourceState[]>();
    for (const state of states) {
      const resources = byDevice.get(state.deviceId);
      if (resources) resources.push(state);
      else byDevice.set(state.deviceId, [state]);
    }
    for (const [deviceId, resources] of byDevice) {
      this.#bus.publish('resourceChanged', deviceKey(tenantId, deviceId), { tenantId, deviceId, resources });
    }
  }
}

function refusalOf(error: unknown): ReadingsRefusal {
  if (error instanceof TreeTooLarge) return TOO_LARGE;
  throw error;
}

function isTooLarge(batch: DeviceReadings): boolean {
  return batch.readings.length > MOST_RESOURCES && treeChange([batch]).values.length > MOST_RESOURCES;
}

/** RFC 7641 §3.4: the order of the notifications decides what the tree shows, not which readings are stored. */
function changesTree(arrival: ReadingsArrival | ObjectsArrival | DiscoveryArrival): boolean {
  return arrival.kind !== 'readings' || arrival.olderThan === null;
}

function measurementsOf({
  tenantId,
  batch,
  mappings,
  measured,
  olderThan,
  message,
}: ReadingsArrival): TelemetryBatch[] {
  if (mappings.length === 0 || measured.length === 0) return [];
  const { deviceId, receivedAt } = batch;
  // A late value was measured before the newer one arrived.
  const presumedAt = olderThan === null ? receivedAt : Math.min(receivedAt, olderThan - 1);
  return [{ tenantId, deviceId, mappings, readings: measured, receivedAt, presumedAt, message }];
}
