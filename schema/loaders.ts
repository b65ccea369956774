import DataLoader from 'dataloader';
import type {
  Actor,
  DeviceCredential,
  DeviceId,
  DeviceRegistration,
  Fleet,
  HandshakeRecord,
  KnownDefinition,
  ResourceState,
  RpcTransition,
  DeviceObservation,
  WantedState,
  TreeSelector,
} from '../src/fleet/index.ts';
import { selects } from './tree/tree-selection.ts';

/**
 * Batches the requests of many devices' fields into one call to the fleet for each kind of data. A query over many
 * devices therefore makes a fixed number of calls.
 */
export interface Loaders {
  registration(deviceId: DeviceId): Promise<DeviceRegistration | null>;
  observations(deviceId: DeviceId): Promise<readonly DeviceObservation[]>;
  wantedObservations(deviceId: DeviceId): Promise<readonly WantedState[]>;
  /** An empty list of selectors loads all stored values of the device. */
  resources(deviceId: DeviceId, selectors: readonly TreeSelector[]): Promise<readonly ResourceState[]>;
  /** `version` null loads the newest version. */
  definition(objectId: number, version: string | null): Promise<KnownDefinition | null>;
  credentials(deviceId: DeviceId): Promise<readonly DeviceCredential[]>;
  handshakes(deviceId: DeviceId): Promise<readonly HandshakeRecord[]>;
  transitions(rpcId: string): Promise<readonly RpcTransition[]>;
}

interface Selection {
  readonly deviceId: DeviceId;
  readonly selectors: readonly TreeSelector[];
}

interface WantedDefinition {
  readonly objectId: number;
  readonly version: string | null;
}

export function createLoaders(fleet: Fleet, actor: Actor): Loaders {
  const registrations = byId(async (ids: readonly DeviceId[]) => {
    const found = await fleet.devices.registrations(actor, ids);
    return ids.map((id) => found.get(id) ?? null);
  });
  const observations = byId(async (ids: readonly DeviceId[]) => {
    const found = await fleet.devices.observations(actor, ids);
    return ids.map((id) => found.get(id) ?? []);
  });
  const wantedObservations = byId(async (ids: readonly DeviceId[]) => {
    const found = await fleet.devices.wantedObservations(actor, ids);
    return ids.map((id) => found.get(id) ?? []);
  });
  const trees = byId(async (ids: readonly DeviceId[]) => {
    const found = await fleet.devices.resources(actor, ids, []);
    return ids.map((id) => found.get(id) ?? []);
  });
  // All selections of one query become one call; each selection then takes its own part of the result.
  const selections = new DataLoader<Selection, readonly ResourceState[], string>(
    async (wanted) => {
      const ids = [...new Set(wanted.map(({ deviceId }) => deviceId))];
      const selectors = new Map(wanted.flatMap((one) => one.selectors).map((one) => [one.ids.join('/'), one]));
      const found = await fleet.devices.resources(actor, ids, [...selectors.values()]);
      return wanted.map((one) =>
        (found.get(one.deviceId) ?? []).filter((state) => one.selectors.some((selector) => selects(selector, state))),
      );
    },
    { cacheKeyFn: (one) => `${one.deviceId} ${one.selectors.map(({ ids }) => ids.join('/')).join(' ')}` },
  );
  const definitions = new DataLoader<WantedDefinition, KnownDefinition | null, string>(
    (wanted) => fleet.definitions.many(actor, wanted),
    { cacheKeyFn: ({ objectId, version }) => `${objectId} ${version ?? ''}` },
  );
  const credentials = byId(async (ids: readonly DeviceId[]) => {
    const found = await fleet.credentials.list(actor, ids);
    return ids.map((id) => found.get(id) ?? []);
  });
  const handshakes = byId(async (ids: readonly DeviceId[]) => {
    const found = await fleet.handshakes.list(actor, ids);
    return ids.map((id) => found.get(id) ?? []);
  });
  const transitions = byId(async (ids: readonly string[]) => {
    const found = await fleet.rpcs.transitions(actor, ids);
    return ids.map((id) => found.get(id) ?? []);
  });

  return {
    registration: (deviceId) => registrations.load(deviceId),
    observations: (deviceId) => observations.load(deviceId),
    wantedObservations: (deviceId) => wantedObservations.load(deviceId),
    resources: (deviceId, selectors) =>
      selectors.length === 0 ? trees.load(deviceId) : selections.load({ deviceId, selectors }),
    definition: (objectId, version) => definitions.load({ objectId, version }),
    credentials: (deviceId) => credentials.load(deviceId),
    handshakes: (deviceId) => handshakes.load(deviceId),
    transitions: (rpcId) => transitions.load(rpcId),
  };
}

function byId<Id extends string, T>(load: (ids: readonly Id[]) => Promise<T[]>): DataLoader<Id, T> {
  return new DataLoader<Id, T>(load);
}
