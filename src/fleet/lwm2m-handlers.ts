import type {
  Lwm2mHandlers,
  Lwm2mServer,
  ObjectModel,
  Path,
  Reading,
  ReadingBatch,
  ReadingOrigin,
  Registration,
} from '../lwm2m/index.ts';
import type { TenantId } from './access/index.ts';
import type { FreshCredentials } from './bootstrap/index.ts';
import { parseDeviceKey } from './devices/index.ts';
import { definitionAt, type DefinitionSource, resourceTypeName, valueToJson } from './objects/index.ts';
import type { ObservationRecords, Observing } from './observing/index.ts';
import type { AwakeTimes, createAdmission, Displacements, Presence, ProblemLog, Roster } from './presence/index.ts';
import type { MetricMapping, ProfileBook, RegistrationProfiles } from './profiles/index.ts';
import { measuredOf, type ReadingLimit, type Readings } from './readings/index.ts';
import type { RpcDispatcher } from './rpcs/index.ts';

/** The modules that the handlers call. */
export interface Lwm2mHandlerParts {
  readonly lwm2m: () => Lwm2mServer;
  readonly roster: Roster;
  readonly admit: ReturnType<typeof createAdmission>;
  readonly presence: Presence;
  readonly awakeTimes: AwakeTimes;
  readonly problems: ProblemLog;
  readonly displacements: Displacements;
  readonly profiles: ProfileBook;
  readonly registrationProfiles: RegistrationProfiles;
  readonly readings: Readings;
  readonly readingLimit: ReadingLimit;
  readonly observations: ObservationRecords;
  readonly observing: Observing;
  readonly dispatcher: RpcDispatcher;
  readonly freshCredentials: FreshCredentials;
  readonly modelOf: (tenantId: TenantId) => ObjectModel;
  readonly now: () => number;
}

/** Creates the handlers through which the LwM2M server passes registrations, readings and observations to the modules. */
export function createLwm2mHandlers(parts: Lwm2mHandlerParts): Lwm2mHandlers {
  const { roster, admit, presence, profiles, readings, observations, observing, dispatcher, now } = parts;
  const { freshCredentials, modelOf, awakeTimes, readingLimit } = parts;

  /** The readings that become telemetry: each reading of the device once, and none that the server wrote. */
  function measured(
    batch: ReadingBatch,
    own: readonly Reading[],
    mappings: readonly MetricMapping[],
  ): readonly Reading[] {
    const { registration, origin, scope } = batch;
    if (origin === 'WRITE') return [];
    if (origin !== 'NOTIFICATION') return own;
    const running = parts
      .lwm2m()
      .observations(registration.deviceKey)
      .map(({ paths }) => paths);
    return measuredOf({ scope, readings: own, running, mappings, objects: registration.objects });
  }

  /** Records a registration that moves back and forth: two devices with one endpoint name displace each other. */
  function moved(previous: Registration | null | undefined, { deviceKey, endpoint, peer }: Registration): void {
    if (!previous || !parts.displacements.moved(deviceKey, previous.peer, peer, now())) return;
    const places = [previous.peer, peer].map(({ address, port }) => `${address} port ${port}`).sort();
    parts.problems.record({
      at: now(),
      deviceId: parseDeviceKey(deviceKey).deviceId,
      endpoint,
      peer,
      kind: 'DISPLACED',
      code: null,
      reason: `the device registers alternately from ${places.join(' and ')}: two devices have this endpoint name, or one device changes its network`,
    });
  }

  /**
   * What the list of the device does not name leaves its tree. To be called before the registration is stored, because
   * clients query the tree when they learn of the registration.
   */
  async function listed({ deviceKey, objects }: Registration): Promise<void> {
    const { tenantId, deviceId } = parseDeviceKey(deviceKey);
    if (objects.length > 0) await readings.store({ kind: 'objects', tenantId, batch: { deviceId, objects } });
  }

  return {
    admit,

    refused: ({ peer, endpoint, cause, code, reason }) =>
      parts.problems.record({ at: now(), deviceId: null, endpoint, peer, kind: cause, code, reason }),

    profileObjects: (profileId, key) => parts.registrationProfiles.links(parseDeviceKey(key).tenantId, profileId),

    async registered(registration, previous) {
      await listed(registration);
      await presence.registered(registration);
      moved(previous, registration);
      await freshCredentials.registered(registration, previous);
      observing.ended(registration.deviceKey);
    },

    async updated(registration, previous) {
      // An Update without a list keeps the list of the registration.
      if (registration.objects !== previous.objects) await listed(registration);
      await presence.updated(registration);
      awakeTimes.updated(registration.deviceKey);
      moved(previous, registration);
      if (!sameObjects(registration, previous)) observing.objectsChanged(registration.deviceKey);
    },

    async moved(registration) {
      const previous = roster.get(registration.deviceKey)?.registration;
      await presence.moved(registration);
      moved(previous, registration);
      dispatcher.wake(registration.deviceKey);
    },

    async instancesChanged(registration) {
      await presence.moved(registration);
      observing.objectsChanged(registration.deviceKey);
    },

    disconnected: ({ deviceKey }) => presence.disconnected(deviceKey),

    async ended(registration, end) {
      await presence.ended(registration, end);
      if (roster.get(registration.deviceKey)) return;
      observing.ended(registration.deviceKey);
      parts.displacements.forget(registration.deviceKey);
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
      const limited = await readingLimit.admit(live, origin, batch.decoded.readings.length);
      if (limited) return limited;
      const { mappings } = await profiles.of(tenantId, live.profileId);
      const { decoded, registration } = batch;
      if (decoded.readings.some(({ path }) => path.prefix !== null)) await storeEndDeviceReadings(batch, readings);
      const source = { model: modelOf(tenantId), objects: registration.objects };
      const own = decoded.readings.filter(({ path }) => path.prefix === null && isReadable(path, origin, source));
      const refusal = await readings.store({
        kind: 'readings',
        tenantId,
        batch: { deviceId, origin, scope, readings: own, empty: decoded.empty, receivedAt },
        mappings,
        olderThan: batch.olderThan,
        message: batch.message,
        measured: measured(batch, own, mappings),
      });
      return refusal ? { refused: refusal.message } : undefined;
    },

    async discovered({ deviceKey }, discovery) {
      const { tenantId, deviceId } = parseDeviceKey(deviceKey);
      await readings.store({ kind: 'discovered', tenantId, batch: { deviceId, discovery } });
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

    async observationEnded(observation, reason, code) {
      // The device itself ended the observation, so that it must not be requested again at once.
      if (reason === 'refused') observing.endedByDevice(observation.deviceKey, observation.paths, code);
      await observations.ended(observation);
      if (reason === 'cancelled') observing.reconcile(observation.deviceKey);
    },

    heard({ deviceKey }, at) {
      presence.heard(deviceKey, at);
      dispatcher.heard(deviceKey);
    },

    sleeping({ deviceKey }, asleep) {
      presence.sleeping(deviceKey, asleep);
      if (asleep) return;
      // The server does not call `ready` when the device woke up to send a Send or a notification.
      dispatcher.wake(deviceKey);
      observing.ready(deviceKey, 'wake');
    },

    probed: ({ deviceKey }, probe) => awakeTimes.probed(deviceKey, probe),
  };
}

/**
 * False for a written value of a resource that cannot be read, such as a password or a firmware image: it is not stored,
 * so that it cannot be read through the API.
 */
function isReadable(path: Path, origin: ReadingOrigin, source: DefinitionSource): boolean {
  return origin !== 'WRITE' || (definitionAt(path, source)?.operations.includes('R') ?? true);
}

function sameObjects(one: Registration, other: Registration): boolean {
  return one.objects === other.objects || JSON.stringify(one.objects) === JSON.stringify(other.objects);
}

/** Stores readings of end devices behind a gateway as a dead letter, because the gateway's tree cannot hold them. */
async function storeEndDeviceReadings(
  { registration, origin, scope, decoded, receivedAt }: ReadingBatch,
  readings: Readings,
) {
  const { tenantId, deviceId } = parseDeviceKey(registration.deviceKey);
  const endDeviceReadings = decoded.readings
    .filter(({ path }) => path.prefix !== null)
    .map((reading) => ({
      path: String(reading.path),
      type: resourceTypeName(reading.type),
      value: valueToJson(reading),
    }));
  await readings.store({
    kind: 'undecodable',
    tenantId,
    letter: {
      tenantId,
      deviceId,
      path: pathOf(scope),
      contentFormat: null,
      bytes: new TextEncoder().encode(JSON.stringify(endDeviceReadings)),
      reason: 'the server does not store readings of end devices behind a gateway',
      origin,
      receivedAt,
    },
  });
}

function pathOf(scope: readonly Path[]): string {
  return scope.length > 0 ? scope.join(' ') : '/dp';
}
