import {
  isSecretObject,
  listsInstances,
  Path,
  type Reading,
  type ReadingOrigin,
  type RegisteredObject,
} from '../../lwm2m/index.ts';
import type { DeviceId } from '../access/index.ts';
import { valueToJson } from '../objects/index.ts';

/** One batch of readings of a device, for its resource tree. */
export interface DeviceReadings {
  readonly deviceId: DeviceId;
  readonly origin: ReadingOrigin;
  /** The requested paths: stored values below them that are not in `readings` or `empty` no longer exist. */
  readonly scope: readonly Path[];
  readonly readings: readonly Reading[];
  readonly empty: readonly Path[];
  readonly receivedAt: number;
}

/** The objects that a device has listed: in a Register, or in an Update with a list. */
export interface DeviceObjects {
  readonly deviceId: DeviceId;
  readonly objects: readonly RegisteredObject[];
}

/** The last value of a resource or a resource instance, to be stored. */
export interface LastValue {
  readonly deviceId: DeviceId;
  readonly path: Path;
  readonly type: string | null;
  readonly guessed: boolean;
  /** JSON text; null if the value is too large to store. */
  readonly value: string | null;
  readonly measuredAt: number;
  readonly source: ReadingOrigin;
}

/** The stored values of the device at and below this path are deleted, except those that the same change stores. */
export interface GoneBelow {
  readonly deviceId: DeviceId;
  readonly path: Path;
}

/**
 * The stored values of the device that are not below one of these paths are deleted, except those that the same change
 * stores, and those of objects that a list need not name.
 */
export interface KeptOnly {
  readonly deviceId: DeviceId;
  readonly paths: readonly Path[];
}

/** The changes to store in the resource tree. */
export interface TreeChange {
  /** At most one for each device and path, sorted by device and path. */
  readonly values: readonly LastValue[];
  readonly gone: readonly GoneBelow[];
  /** At most one for each device. */
  readonly keptOnly: readonly KeptOnly[];
}

/** The value of a multiple resource without instances. */
const NO_INSTANCES = '{}';
const LARGEST_VALUE = 256 * 1024;
const EARLIEST = Date.UTC(1970, 0, 1);

/**
 * Combines several batches, in their order, into one change. For each path it keeps the newest value; if the times are
 * equal, it keeps the last one.
 */
export function treeChange(batches: readonly (DeviceReadings | DeviceObjects)[]): TreeChange {
  const values = new Map<string, LastValue>();
  const gone: GoneBelow[] = [];
  const kept = new Map<DeviceId, readonly Path[]>();
  for (const batch of batches) {
    if ('objects' in batch) {
      const paths = keptPaths(batch.objects);
      kept.set(batch.deviceId, paths);
      for (const [key, { deviceId, path }] of values) {
        if (deviceId === batch.deviceId && !isKeptBy(paths, path)) values.delete(key);
      }
      continue;
    }
    const { deviceId, scope } = batch;
    if (scope.length > 0) {
      for (const path of scope) if (!isOneValue(path, batch)) gone.push({ deviceId, path });
      for (const [key, value] of values) {
        if (value.deviceId === deviceId && scope.some((path) => path.contains(value.path))) values.delete(key);
      }
    }
    for (const value of lastValues(batch)) {
      const key = `${deviceId}${value.path}`;
      const known = values.get(key);
      if (!known || known.measuredAt <= value.measuredAt) values.set(key, value);
    }
  }
  const sorted = [...values.values()].toSorted((one, other) =>
    one.deviceId === other.deviceId ? one.path.compare(other.path) : one.deviceId < other.deviceId ? -1 : 1,
  );
  return { values: sorted, gone, keptOnly: [...kept].map(([deviceId, paths]) => ({ deviceId, paths })) };
}

/**
 * The objects that every device with a registration has: Server and Device. A list that names no instance of them is
 * incomplete.
 */
const ALWAYS_THERE: ReadonlySet<number> = new Set([1, 3]);
/** Core 1.2 §6.2.1: a list never names Security, OSCORE and MQTT Server. Some devices do not name Server either. */
export const UNLISTED: readonly number[] = [0, 1, 21, 23];

/** The paths that a device has according to its list: instances, or objects of which it does not list the instances. */
function keptPaths(objects: readonly RegisteredObject[]): Path[] {
  const complete = listsInstances(objects);
  return objects.flatMap(({ objectId, instanceIds }) => {
    const listed = instanceIds.map((instanceId) => Path.of(objectId, instanceId));
    return listed.length === 0 && (!complete || ALWAYS_THERE.has(objectId)) ? [Path.of(objectId)] : listed;
  });
}

function isKeptBy(paths: readonly Path[], path: Path): boolean {
  const { objectId } = path;
  const listed = paths.some((one) => one.contains(path));
  return (
    listed || (objectId !== null && UNLISTED.includes(objectId) && !paths.some((one) => one.objectId === objectId))
  );
}

/** True if the batch has one value for the whole requested resource: no other stored value can exist below it. */
function isOneValue(path: Path, { readings }: DeviceReadings): boolean {
  return path.ids.length >= 3 && readings.some((reading) => reading.path.equals(path));
}

function* lastValues(batch: DeviceReadings): Generator<LastValue> {
  const common = { deviceId: batch.deviceId, source: batch.origin };
  for (const reading of batch.readings) {
    const { path, type, time, guessed = false } = reading;
    if (!isKept(path)) continue;
    const value = JSON.stringify(valueToJson(reading));
    yield {
      ...common,
      path,
      type,
      guessed,
      value: value.length > LARGEST_VALUE ? null : value,
      measuredAt: measuredAt(time, batch.receivedAt),
    };
  }
  for (const path of batch.empty) {
    if (path.level !== 'resource' || !isKept(path)) continue;
    yield { ...common, path, type: null, guessed: false, value: NO_INSTANCES, measuredAt: batch.receivedAt };
  }
}

function isKept(path: Path): boolean {
  // The tree holds the resources of the device itself, not those of end devices behind it.
  if (path.prefix !== null || path.objectId === null || path.resourceId === null) return false;
  return !isSecretObject(path.objectId);
}

/**
 * Returns the time of a reading in milliseconds since the Unix epoch. If `seconds` is null, before 1970 or later than
 * `receivedAt`, it returns `receivedAt`: a value with a time in the future would block all later values.
 */
export function measuredAt(seconds: number | null, receivedAt: number): number {
  const stated = seconds === null ? receivedAt : Math.round(seconds * 1000);
  return stated >= EARLIEST && stated < receivedAt ? stated : receivedAt;
}
