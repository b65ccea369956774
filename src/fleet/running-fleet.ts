import type { Clock } from '../clock.ts';
import type { EventBus } from '../events/index.ts';
import type { BootstrapHandlers, Lwm2mHandlers, Lwm2mServer, ObjectModel } from '../lwm2m/index.ts';
import type { Store } from '../store/index.ts';
import type { Access } from './access/index.ts';
import type { Log } from './common/index.ts';
import type { CredentialBook, CredentialGate, Handshakes, Seal } from './credentials/index.ts';
import type { AutoProvisionLimits } from './devices/index.ts';
import type { FleetEvents } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { ObservingSettings, ObservingSnapshot } from './observing/index.ts';
import type { ProblemLog } from './presence/index.ts';
import type { LimitSnapshot, ReadingRates, ReadingsSnapshot, TelemetrySink } from './readings/index.ts';
import type { SmsTrigger } from './rpcs/index.ts';

/** The dependencies and settings of the fleet. */
export interface FleetOptions {
  readonly store: Store;
  readonly bus: EventBus<FleetEvents>;
  /** The fleet calls it only after `start`, because the server is created with the fleet's handlers. */
  readonly lwm2m: () => Lwm2mServer;
  /** The object definitions of the OMA registry. */
  readonly registry: ObjectModel;
  readonly telemetry: TelemetrySink;
  readonly access: Access;
  readonly gate: CredentialGate;
  readonly credentials: CredentialBook;
  readonly handshakes: Handshakes;
  /** Seals bootstrap plans and the keys of factory credentials. */
  readonly seal: Seal;
  readonly clock: Clock;
  readonly settings: {
    /** Not null: unknown endpoints without security are added to the default tenant, within the limits. */
    readonly autoProvision: AutoProvisionLimits | null;
    readonly noSecBootstrap: boolean;
    readonly watching: ObservingSettings;
    readonly readings: ReadingRates;
  };
  readonly log: Log;
  /** Absent: the server sends no SMS, so that sleeping devices wake up only by themselves. */
  readonly smsTrigger?: SmsTrigger;
}

/** The counts of the fleet for the metrics page. */
export interface FleetSnapshot {
  readonly registered: number;
  readonly readings: ReadingsSnapshot;
  readonly readingLimit: LimitSnapshot;
  readonly registrations: { readonly waiting: number; readonly running: number };
  readonly rpcs: { readonly queues: number; readonly running: number; readonly waiters: number };
  readonly observing: ObservingSnapshot;
  readonly registrationProblems: ReturnType<ProblemLog['snapshot']>;
}

/** A fleet with the handlers for its servers and the functions that start and stop it. */
export interface RunningFleet {
  readonly fleet: Fleet;
  /** The handlers for the LwM2M server. */
  readonly handlers: Lwm2mHandlers;
  /** The handlers for the bootstrap server. */
  readonly bootstrapHandlers: BootstrapHandlers;
  /**
   * Restores the stored state and starts the LwM2M server with it. Call it once: after the default tenant and the server
   * are created, and before the server's endpoints receive datagrams.
   */
  start(): Promise<void>;
  /** Stops the timers and waits until all pending data is stored. Call it after the LwM2M server has stopped. */
  stop(): Promise<void>;
  snapshot(): FleetSnapshot;
}
