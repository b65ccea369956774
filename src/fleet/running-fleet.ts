import type { Clock } from '../clock.ts';
import type { EventBus } from '../events/index.ts';
import type { BootstrapHandlers, Lwm2mHandlers, Lwm2mServer, ObjectModel } from '../lwm2m/index.ts';
import type { Store } from '../store/index.ts';
import type { Access } from './access/index.ts';
import type { Log } from './common/index.ts';
import type { CredentialBook, CredentialGate, Handshakes, Seal } from './credentials/index.ts';
import type { FleetEvents } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { DropReason, TelemetrySink } from './readings/index.ts';
import type { SmsTrigger } from './rpcs/index.ts';

export interface FleetOptions {
  readonly store: Store;
  readonly bus: EventBus<FleetEvents>;
  /** Asked only after `start`: the server is made with the fleet's handlers. */
  readonly lwm2m: () => Lwm2mServer;
  /** The OMA registry. */
  readonly registry: ObjectModel;
  readonly telemetry: TelemetrySink;
  readonly access: Access;
  readonly gate: CredentialGate;
  readonly credentials: CredentialBook;
  readonly handshakes: Handshakes;
  /** Of what bootstraps give. */
  readonly seal: Seal;
  readonly clock: Clock;
  readonly settings: { readonly autoProvision: boolean };
  readonly log: Log;
  /** Absent: sleeping devices wake by themselves only. */
  readonly smsTrigger?: SmsTrigger;
}

/** How much the fleet holds and how much waits: for the metrics page. */
export interface FleetSnapshot {
  readonly registered: number;
  readonly readings: {
    readonly waiting: number;
    readonly running: number;
    /** Readings that were acknowledged and not stored, by the reason. */
    readonly dropped: Readonly<Record<DropReason, number>>;
  };
  readonly registrations: { readonly waiting: number; readonly running: number };
  readonly rpcs: { readonly queues: number; readonly running: number; readonly waiters: number };
  readonly observing: { readonly watched: number; readonly devices: number };
}

export interface RunningFleet {
  readonly fleet: Fleet;
  /** For the LwM2M server. */
  readonly handlers: Lwm2mHandlers;
  /** For the bootstrap server. */
  readonly bootstrapHandlers: BootstrapHandlers;
  /**
   * Takes up what an earlier run left and starts the LwM2M server with it. Call once, after the default tenant is there
   * and the server is made, before its endpoints hear datagrams.
   */
  start(): Promise<void>;
  /** Stops timers and stores what is still to be stored. Call after the LwM2M server has stopped. */
  stop(): Promise<void>;
  snapshot(): FleetSnapshot;
}
