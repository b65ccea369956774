import type { Clock } from '../../clock.ts';
import type { Lwm2mServer } from '../../lwm2m/index.ts';
import type { Log, Turns } from '../common/index.ts';
import type { DeviceKey } from '../devices/index.ts';
import type { Roster } from '../presence/index.ts';
import type { ProfileBook } from '../profiles/index.ts';
import type { ObservationRequests } from './observation-requests.ts';
import type { WrittenAttributes } from './written-attributes.ts';

/** The limits of what subscribers can make the server ask of a device. */
export interface ObservingSettings {
  /** How long an observation goes on after the last subscriber left that needs it, in milliseconds. */
  readonly lingerMs: number;
  /** The requests for subscribers that one device gets per minute, after `requestBurst` at once. */
  readonly requestsPerMinute: number;
  readonly requestBurst: number;
}

/** The counts of `Observing` for the metrics page. */
export interface ObservingSnapshot {
  /** Devices with watched paths. */
  readonly watched: number;
  /** Watched paths whose last watcher left a short time ago. */
  readonly lingering: number;
  /** Devices with a memory. */
  readonly devices: number;
  /** Observation requests that devices refused, and observations that devices ended. `transient` ones are tried again. */
  readonly refusals: { readonly transient: number; readonly lasting: number };
  /** How often requests for watchers had to wait, because the device got too many. */
  readonly postponed: number;
}

/** The services that Observing uses. */
export interface ObservingParts {
  readonly lwm2m: () => Lwm2mServer;
  readonly roster: Roster;
  readonly profiles: ProfileBook;
  readonly requests: ObservationRequests;
  readonly written: WrittenAttributes;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: ObservingSettings;
  /** Called when the states of a device's watched paths may have changed. */
  readonly onWatchChange: (key: DeviceKey) => void;
  /** For the jitter; `Math.random` by default. */
  readonly random?: () => number;
}
