import type { Lwm2mHandlers, ObjectModel, Path, ReadingBatch, ReadingOrigin, Registration } from '../lwm2m/index.ts';
import type { TenantId } from './access/index.ts';
import type { FreshCredentials } from './bootstrap/index.ts';
import { parseDeviceKey } from './devices/index.ts';
import { definitionAt, type DefinitionSource, valueToJson } from './objects/index.ts';
import type { ObservationRecords, Observing } from './observing/index.ts';
import type { createAdmission, Presence, Roster } from './presence/index.ts';
import type { ProfileBook, RegistrationProfiles } from './profiles/index.ts';
import type { Readings } from './readings/index.ts';
import type { RpcDispatcher } from './rpcs/index.ts';

export interface Lwm2mHandlerParts {
  readonly roster: Roster;
  readonly admit: ReturnType<typeof createAdmission>;
  readonly presence: Presence;
  readonly profiles: ProfileBook;
  readonly registrationProfiles: RegistrationProfiles;
  readonly readings: Readings;
  readonly observations: ObservationRecords;
  readonly observing: Observing;
  readonly dispatcher: RpcDispatcher;
  readonly freshCredentials: FreshCredentials;
  readonly modelOf: (tenantId: TenantId) => ObjectModel;
  readonly now: () => number;
}

/** What the LwM2M server tells of devices, taken to where it belongs. */
export function createLwm2mHandlers(parts: Lwm2mHandlerParts): Lwm2mHandlers {
  const { roster, admit, presence, profiles, readings, observations, observing, dispatcher, now } = parts;
  const { freshCredentials, modelOf } = parts;

  return {
    admit,

    profileObjects: (profileId, key) => parts.registrationProfiles.links(parseDeviceKey(key).tenantId, profileId),

    async registered(registration, previous) {
      await presence.registered(registration);
      await freshCredentials.registered(registration, previous);
      observing.ended(registration.deviceKey);
    },

    async updated(registration, previous) {
      await presence.updated(registration);
      if (!sameObjects(registration, previous)) observing.objectsChanged(registration.deviceKey);
    },

    async ended(registration, end) {
      await presence.ended(registration, end);
      if (!roster.get(registration.deviceKey)) observing.ended(registration.deviceKey);
    },

    ready({ deviceKey }, after) {
      dispatcher.wake(deviceKey);
      observing.ready(deviceKey, after);
    },

    async readings(batch) {
      const live = roster.get(batch.registration.deviceKey);
      if (!live) return readings.drop(batch.registration.deviceKey, 'not_registered', batch.decoded.readings.length);
      const { tenantId, deviceId } = live;
      const { origin, scope, receivedAt } = batch;
      const { mappings } = await profiles.of(tenantId, live.profileId);
      const { decoded, registration } = batch;
      if (decoded.readings.some(({ path }) => path.prefix !== null)) await setAside(batch, readings);
      const source = { model: modelOf(tenantId), objects: registration.objects };
      const ours = decoded.readings.filter(({ path }) => path.prefix === null && isReadable(path, origin, source));
      await readings.store({
        kind: 'readings',
        tenantId,
        batch: { deviceId, origin, scope, readings: ours, empty: decoded.empty, receivedAt },
        mappings: origin === 'WRITE' ? [] : mappings,
      });
    },

    async undecodable(registration, payload) {
      const { tenantId, deviceId } = parseDeviceKey(registration.deviceKey);
      await readings.store({
        kind: 'undecodable',
        tenantId,
        letter: { tenantId, deviceId, ...payload, receivedAt: now() },
      });
    },

    async observationStarted(observation) {
      await observations.started(observation);
    },

    async observationEnded(observation, reason) {
      // The device did it by itself: that it is not asked again at once is what backs off.
      if (reason === 'refused') observing.refusedByDevice(observation.deviceKey, observation.paths);
      await observations.ended(observation);
      if (reason === 'cancelled') observing.reconcile(observation.deviceKey);
    },

    heard: ({ deviceKey }, at) => presence.heard(deviceKey, at),

    sleeping({ deviceKey }, asleep) {
      presence.sleeping(deviceKey, asleep);
      if (asleep) return;
      // A Send or a notification woke it: there is no `ready` for those.
      dispatcher.wake(deviceKey);
      observing.ready(deviceKey, 'wake');
    },
  };
}

/** What can be written only, a password or a firmware image, is not kept for everybody to read. */
function isReadable(path: Path, origin: ReadingOrigin, source: DefinitionSource): boolean {
  return origin !== 'WRITE' || (definitionAt(path, source)?.operations.includes('R') ?? true);
}

function sameObjects(one: Registration, other: Registration): boolean {
  return one.objects === other.objects || JSON.stringify(one.objects) === JSON.stringify(other.objects);
}

/** What a gateway says of its end devices has no place in its own tree: it is kept with the reason, not dropped. */
async function setAside({ registration, origin, scope, decoded, receivedAt }: ReadingBatch, readings: Readings) {
  const { tenantId, deviceId } = parseDeviceKey(registration.deviceKey);
  const foreign = decoded.readings
    .filter(({ path }) => path.prefix !== null)
    .map((reading) => ({ path: String(reading.path), type: reading.type, value: valueToJson(reading) }));
  await readings.store({
    kind: 'undecodable',
    tenantId,
    letter: {
      tenantId,
      deviceId,
      path: pathOf(scope),
      contentFormat: null,
      bytes: new TextEncoder().encode(JSON.stringify(foreign)),
      reason: 'readings of end devices behind a gateway',
      origin,
      receivedAt,
    },
  });
}

function pathOf(scope: readonly Path[]): string {
  return scope.length > 0 ? scope.join(' ') : '/dp';
}
