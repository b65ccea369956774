import type { DeviceRegistration, ResourceState } from '../../src/fleet/index.ts';

/** A resource and the version of its object; null if the device did not register a version. */
export interface TreeResource {
  readonly state: ResourceState;
  readonly version: string | null;
}

export interface TreeInstance {
  readonly objectId: number;
  readonly instanceId: number;
  readonly resources: readonly TreeResource[];
}

export interface TreeObject {
  readonly objectId: number;
  /** Null if the device is not registered, or did not register a version. */
  readonly version: string | null;
  readonly instances: readonly TreeInstance[];
}

/**
 * The tree of a device: its registered objects and instances, also those without values, and all stored values, also
 * those of objects that are not registered. Sorted by ascending id.
 */
export function treeOf(
  registration: DeviceRegistration | null,
  states: readonly ResourceState[],
  objectIds: readonly number[] | null,
): TreeObject[] {
  const wanted = (objectId: number): boolean => objectIds === null || objectIds.includes(objectId);
  const objects = new Map<number, Map<number, TreeResource[]>>();
  for (const { objectId, instanceIds } of registration?.objects ?? []) {
    if (wanted(objectId)) objects.set(objectId, new Map(instanceIds.map((instanceId) => [instanceId, []])));
  }
  for (const state of states) {
    if (!wanted(state.objectId)) continue;
    const instances = entry(objects, state.objectId, () => new Map<number, TreeResource[]>());
    const version = versionOf(registration, state.objectId);
    entry(instances, state.instanceId, () => []).push({ state, version });
  }
  return ascending(objects).map(([objectId, instances]) => ({
    objectId,
    version: versionOf(registration, objectId),
    instances: ascending(instances).map(([instanceId, resources]) => ({
      objectId,
      instanceId,
      resources: resources.toSorted((a, b) => a.state.resourceId - b.state.resourceId),
    })),
  }));
}

export function versionOf(registration: DeviceRegistration | null, objectId: number): string | null {
  return registration?.objects.find((object) => object.objectId === objectId)?.version ?? null;
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}

function ascending<V>(map: ReadonlyMap<number, V>): [number, V][] {
  return [...map].sort(([a], [b]) => a - b);
}
