import { impliedObjectVersion } from '../model/core-versions.ts';
import type { Registration, RegisteredObject } from './registration.ts';

/** True if the device lists instances. Some devices list only `</3>`, whatever instances they have. */
export function listsInstances(objects: readonly RegisteredObject[]): boolean {
  return objects.some(({ instanceIds }) => instanceIds.length > 0);
}

/** The objects after the device has created an instance; unchanged if the device does not list instances. */
export function withInstance(
  { objects, lwm2mVersion }: Registration,
  objectId: number,
  instanceId: number,
): readonly RegisteredObject[] {
  if (!listsInstances(objects)) return objects;
  const known = objects.find((object) => object.objectId === objectId) ?? {
    objectId,
    version: impliedObjectVersion(objectId, lwm2mVersion),
    instanceIds: [],
  };
  return withInstances(objects, known, [...known.instanceIds, instanceId]);
}

/** The objects after the device has deleted an instance. */
export function withoutInstance(
  { objects }: Registration,
  objectId: number,
  instanceId: number,
): readonly RegisteredObject[] {
  const known = objects.find((object) => object.objectId === objectId);
  if (!known) return objects;
  return withInstances(
    objects,
    known,
    known.instanceIds.filter((id) => id !== instanceId),
  );
}

/** The objects after a Discover of an object; unchanged if the device does not list the object, or no instances. */
export function withDiscovered(
  { objects }: Registration,
  objectId: number,
  instanceIds: readonly number[],
): readonly RegisteredObject[] {
  const known = objects.find((object) => object.objectId === objectId);
  return known && listsInstances(objects) ? withInstances(objects, known, instanceIds) : objects;
}

/** The objects with other instances of one object. The same array if nothing changes. */
function withInstances(
  objects: readonly RegisteredObject[],
  object: RegisteredObject,
  instanceIds: readonly number[],
): readonly RegisteredObject[] {
  const sorted = [...new Set(instanceIds)].sort((left, right) => left - right);
  const same = sorted.length === object.instanceIds.length && sorted.every((id, at) => id === object.instanceIds[at]);
  if (same && objects.includes(object)) return objects;
  const others = objects.filter(({ objectId }) => objectId !== object.objectId);
  return [...others, { ...object, instanceIds: sorted }].sort((left, right) => left.objectId - right.objectId);
}
