import type { EventBus } from '../../events/index.ts';
import type { Store } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import { Batcher, type Log } from '../common/index.ts';
import { deviceKey, type DeviceKey } from '../devices/index.ts';
import type { MetricMapping } from '../profiles/index.ts';
import { treeChange, type DeviceReadings } from './last-values.ts';
import type { DeadLetter, TelemetrySink } from './telemetry-sink.ts';
import { type ResourceState, writeTree } from './tree.ts';

/** Events about values. */
export interface ReadingEvents {
  /** Key: the device's key. */
  readonly resourceChanged: {
    readonly tenantId: TenantId;
    readonly deviceId: DeviceId;
    readonly resources: readonly ResourceState[];
  };
}

/** Why acknowledged readings are not stored: `not_registered`, the registration ended while they were on their way. */
export type DropReason = 'not_registered';

export interface ReadingsParts {
  readonly store: Store;
  readonly sink: TelemetrySink;
  readonly bus: EventBus<ReadingEvents>;
  readonly log: Log;
}

/** A batch of readings of one device, with where its metrics go; or a payload that could not be read. */
export type Arrival =
  | {
      readonly kind: 'readings';
      readonly tenantId: TenantId;
      readonly batch: DeviceReadings;
      /** None for what we wrote ourselves: that is no measurement. */
      readonly mappings: readonly MetricMapping[];
    }
  | { readonly kind: 'undecodable'; readonly tenantId: TenantId; readonly letter: DeadLetter };

/**
 * Takes in what devices tell: last values and telemetry in one transaction, shared by what arrives together. Subscribers
 * hear of it after the commit.
 */
export class Readings {
  readonly #store: Store;
  readonly #sink: TelemetrySink;
  readonly #bus: EventBus<ReadingEvents>;
  readonly #batcher: Batcher<Arrival, void>;
  readonly #log: Log;
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

  /** Resolves when it is committed. */
  store(arrival: Arrival): Promise<void> {
    return this.#batcher.add(arrival);
  }

  idle(): Promise<void> {
    return this.#batcher.idle();
  }

  /** Counts readings that have no device to be stored for, and logs the reason. */
  drop(deviceKey: DeviceKey, reason: DropReason, count: number): void {
    this.#dropped[reason] += count;
    this.#log.warn({ device: deviceKey, reason, count }, 'readings dropped: the device is not registered');
  }

  snapshot(): { waiting: number; running: number; dropped: Readonly<Record<DropReason, number>> } {
    return { ...this.#batcher.snapshot(), dropped: { ...this.#dropped } };
  }

  async #storeAll(tenantId: string, arrivals: readonly Arrival[]): Promise<void[]> {
    const batches = arrivals.filter((arrival) => arrival.kind === 'readings');
    const letters = arrivals.filter((arrival) => arrival.kind === 'undecodable');
    const { states, told } = await this.#store.asTenant(tenantId, async (tx) => {
      const changed = await writeTree(tx, tenantId, treeChange(batches.map(({ batch }) => batch)));
      const measured = batches.flatMap(({ batch, mappings, tenantId: tenant }) =>
        mappings.length === 0
          ? []
          : [
              {
                tenantId: tenant,
                deviceId: batch.deviceId,
                mappings,
                readings: batch.readings,
                receivedAt: batch.receivedAt,
              },
            ],
      );
      const recorded = measured.length > 0 ? await this.#sink.record(tx, measured) : () => {};
      for (const { letter } of letters) await this.#sink.deadLetter(tx, letter);
      return { states: changed, told: recorded };
    });
    told();
    this.#publish(batches[0]?.tenantId, states);
    return arrivals.map(() => undefined);
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
