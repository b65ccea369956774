import type { EventBus } from '../../events/index.ts';
import type { Store } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import { Batcher, type Log } from '../common/index.ts';
import { deviceKey, type DeviceKey } from '../devices/index.ts';
import type { MetricMapping } from '../profiles/index.ts';
import { treeChange, type DeviceReadings } from './last-values.ts';
import type { DeadLetter, TelemetrySink } from './telemetry-sink.ts';
import { type ResourceState, writeTree } from './tree.ts';

/** The events about values on the event bus. */
export interface ReadingEvents {
  /** The key is the device's key. */
  readonly resourceChanged: {
    readonly tenantId: TenantId;
    readonly deviceId: DeviceId;
    readonly resources: readonly ResourceState[];
  };
}

/** Why acknowledged readings are not stored. `not_registered`: the registration ended before the fleet got them. */
export type DropReason = 'not_registered';

/** The modules that `Readings` calls. */
export interface ReadingsParts {
  readonly store: Store;
  readonly sink: TelemetrySink;
  readonly bus: EventBus<ReadingEvents>;
  readonly log: Log;
}

/** A batch of readings of one device with the mappings to metrics, or a payload that could not be decoded. */
export type Arrival =
  | {
      readonly kind: 'readings';
      readonly tenantId: TenantId;
      readonly batch: DeviceReadings;
      /** Empty for values that the server wrote: they are not measurements. */
      readonly mappings: readonly MetricMapping[];
    }
  | { readonly kind: 'undecodable'; readonly tenantId: TenantId; readonly letter: DeadLetter };

/**
 * Stores the readings of devices: the last values and the telemetry in one transaction. Readings of a tenant that arrive
 * together share a transaction. The events are published after the commit.
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

  /** Stores the arrival; resolves after the commit. */
  store(arrival: Arrival): Promise<void> {
    return this.#batcher.add(arrival);
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

  snapshot(): { waiting: number; running: number; dropped: Readonly<Record<DropReason, number>> } {
    return { ...this.#batcher.snapshot(), dropped: { ...this.#dropped } };
  }

  async #storeAll(tenantId: string, arrivals: readonly Arrival[]): Promise<void[]> {
    const batches = arrivals.filter((arrival) => arrival.kind === 'readings');
    const letters = arrivals.filter((arrival) => arrival.kind === 'undecodable');
    const { states, announce } = await this.#store.asTenant(tenantId, async (tx) => {
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
      return { states: changed, announce: recorded };
    });
    announce();
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
