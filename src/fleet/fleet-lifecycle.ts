import { DEFAULT_TENANT } from './access/index.ts';
import type { FleetParts } from './fleet-parts.ts';
import { endUnprovenRegistrations } from './presence/index.ts';
import type { FleetOptions } from './running-fleet.ts';

/** Implements `RunningFleet.start`. */
export async function startFleet(parts: FleetParts, options: FleetOptions): Promise<void> {
  const { store, bus, lwm2m, log } = options;
  const { models, modelOf, profiles, registrations, roster, requests, observing } = parts;
  const { presence, bootstraps, dispatcher } = parts;
  await store.asTenant(DEFAULT_TENANT, (tx) => profiles.ensureDefault(tx, DEFAULT_TENANT));
  await models.start();
  const restored = await registrations.restore(modelOf, options.clock.now(), (error) =>
    log.error({ err: error }, 'skipped a stored registration or observation that cannot be read'),
  );
  for (const device of restored.devices) roster.set(device);
  await requests.load();
  await observing.restore();
  await options.credentials.resume();
  await bootstraps.interrupted();
  await dispatcher.start();
  const server = lwm2m();
  await server.start(restored.state);
  for (const { key, registration, status } of roster.values()) {
    if (!registration.queueMode) continue;
    const asleep = server.isUnreachable(key);
    // A sleeping device that was silent for too long stays offline until its next message.
    if (!asleep || status !== 'OFFLINE') presence.sleeping(key, asleep);
  }
  presence.start();
  endUnprovenRegistrations({ bus, lwm2m, log });
}

/** Implements `RunningFleet.stop`. */
export async function stopFleet(parts: FleetParts): Promise<void> {
  const { models, presence, dispatcher, observing, registrations, observations, written, readings, journal } = parts;
  dispatcher.stop();
  observing.stop();
  await presence.stop();
  await parts.awakeTimes.idle();
  await parts.problems.stop();
  await models.stop();
  await Promise.all([registrations, observations, written, readings, journal].map((stored) => stored.idle()));
}
