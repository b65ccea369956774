import type { Actor, Fleet, FleetEvents } from '../src/fleet/index.ts';
import type { EventBus } from '../src/events/index.ts';
import type { TelemetryEvents, TelemetryHistory } from '../src/telemetry/index.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import type { CostLimits } from './limits.ts';

/** Everything that subscriptions can hear of. */
export interface ApiEvents extends FleetEvents, TelemetryEvents {}

/** What the API stands on: the same for every request. */
export interface Services {
  readonly fleet: Fleet;
  readonly telemetry: TelemetryHistory;
  readonly bus: EventBus<ApiEvents>;
  readonly limits: CostLimits;
}

/**
 * What one execution sees. Loaders and Pothos keep their caches by this object, so every request, and every event of a
 * subscription, gets a fresh one: a cache must never outlive what it was read for.
 */
export interface Context extends Services {
  readonly actor: Actor;
  readonly load: Loaders;
}

export function createContext(services: Services, actor: Actor): Context {
  return { ...services, actor, load: createLoaders(services.fleet, actor) };
}
