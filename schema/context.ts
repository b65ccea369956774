import type { Actor, Fleet, FleetEvents } from '../src/fleet/index.ts';
import type { EventBus } from '../src/events/index.ts';
import type { TelemetryEvents, TelemetryHistory } from '../src/telemetry/index.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import type { CostLimits } from './limits.ts';
import { ResponseSize } from './response-size.ts';

/** The events that subscriptions deliver. */
export interface ApiEvents extends FleetEvents, TelemetryEvents {}

/** The services behind the API; the same for every request. */
export interface Services {
  readonly fleet: Fleet;
  readonly telemetry: TelemetryHistory;
  readonly bus: EventBus<ApiEvents>;
  readonly limits: CostLimits;
}

/**
 * The context of one execution. Loaders and Pothos attach their caches to this object. Every request and every event of
 * a subscription therefore gets a new one; otherwise an event would show cached, outdated values.
 */
export interface Context extends Services {
  readonly actor: Actor;
  readonly load: Loaders;
  readonly responseSize: ResponseSize;
}

export function createContext(services: Services, actor: Actor): Context {
  const responseSize = new ResponseSize(services.limits.responseBytes);
  return { ...services, actor, load: createLoaders(services.fleet, actor), responseSize };
}
