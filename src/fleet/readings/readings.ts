import type { EventBus } from '../../events/index.ts';
import type { Store } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import { Batcher } from '../common/index.ts';
import { deviceKey } from '../devices/index.ts';
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

  constructor(store: Store, sink: TelemetrySink, bus: EventBus<ReadingEvents>) {
    this.#store = store;
    this.#sink = sink;
    this.#bus = bus;
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

  snapshot(): { waiting: number; running: number } {
    return this.#batcher.snapshot();
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
