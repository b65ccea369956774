import { startFleet, stopFleet } from './fleet-lifecycle.ts';
import { createParts, type FleetParts } from './fleet-parts.ts';
import type { Fleet } from './fleet.ts';
import { createWatching } from './inventory/index.ts';
import { createLwm2mHandlers } from './lwm2m-handlers.ts';
import { createDefinitions, OwnDefinitions } from './objects/index.ts';
import { createRpcs } from './rpcs/index.ts';
import type { FleetOptions, FleetSnapshot, RunningFleet } from './running-fleet.ts';

/** Creates the fleet from a store, an event bus, an LwM2M server and a telemetry sink. */
export function createFleet(options: FleetOptions): RunningFleet {
  const parts = createParts(options);
  return {
    fleet: contractOf(parts, options),
    handlers: createLwm2mHandlers({ ...parts, lwm2m: options.lwm2m, now: () => options.clock.now() }),
    bootstrapHandlers: parts.bootstrapHandlers,
    start: () => startFleet(parts, options),
    stop: () => stopFleet(parts),
    snapshot: () => snapshotOf(parts),
  };
}

/** Collects the functions of the modules that the GraphQL schema calls. */
function contractOf(parts: FleetParts, { store, clock, access, credentials, handshakes, seal }: FleetOptions): Fleet {
  const { models, modelOf, devices, profiles, registrationProfiles, roster, observing, journal, dispatcher } = parts;
  const { bootstraps, plans, factory } = parts;
  return {
    access,
    devices,
    profiles,
    definitions: createDefinitions(models, new OwnDefinitions(store, models, clock)),
    registrationProfiles,
    rpcs: createRpcs({ store, journal, dispatcher, profiles, roster, modelOf, clock, seal }),
    watching: createWatching({ devices, observing, roster, modelOf }),
    credentials,
    handshakes,
    registrationProblems: { page: (...asked) => parts.problems.page(...asked) },
    bootstraps: {
      page: (actor, request, filter) => bootstraps.page(actor, request, filter),
      plan: (actor, owner) => plans.shown(actor, owner),
      setPlan: (actor, owner, plan, ifUpdatedAt) => plans.set(actor, owner, plan, ifUpdatedAt),
      factoryCredentials: (actor) => factory.list(actor),
      createFactoryCredential: (actor, input) => factory.create(actor, input),
      revokeFactoryCredential: (actor, id) => factory.revoke(actor, id),
    },
  };
}

function snapshotOf({
  roster,
  readings,
  readingLimit,
  registrations,
  dispatcher,
  observing,
  problems,
}: FleetParts): FleetSnapshot {
  return {
    registered: roster.size,
    readings: readings.snapshot(),
    readingLimit: readingLimit.snapshot(),
    registrations: registrations.snapshot(),
    rpcs: dispatcher.size,
    observing: observing.size,
    registrationProblems: problems.snapshot(),
  };
}
