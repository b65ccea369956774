import {
  type Discovery,
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

/** What a Discover says about the resources of a device. */
export interface DeviceDiscovery {
  readonly deviceId: DeviceId;
  readonly discovery: Discovery;
}

/** How the server got a stored value. DISCOVER: the device has the resource, but no value of it came. */
export type ValueSource = ReadingOrigin | 'DISCOVER';

/** The last value of a resource or a resource instance, to be stored. */
export interface LastValue {
  readonly deviceId: DeviceId;
  readonly path: Path;
  readonly type: string | null;
  readonly guessed: boolean;
  /** JSON text; null if the value is too large to store. */
  readonly value: string | null;
  readonly measuredAt: number;
  readonly source: ValueSource;
}

/** The stored values of the device at and below this path are deleted, except those that the same change stores. */
export interface GoneBelow {
  readonly deviceId: DeviceId;
  readonly path: Path;
  /** False: resources without a value stay. A Read returns no executable and no write-only resources. */
  readonly withDiscovered: boolean;
}

/**
 * Of the stored values of the device below `within`, those that are not below one of the `paths` are deleted, except
 * those that the same change stores.
 */
export interface KeptOnly {
  readonly deviceId: DeviceId;
  readonly within: Path;
  readonly paths: readonly Path[];
}

/** The changes to store in the resource tree. */
export interface TreeChange {
  /** At most one for each device and path, sorted by device and path. */
  readonly values: readonly LastValue[];
  readonly gone: readonly GoneBelow[];
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
export function treeChange(batches: readonly (DeviceReadings | DeviceObjects | DeviceDiscovery)[]): TreeChange {
  const values = new Map<string, LastValue>();
  const gone: GoneBelow[] = [];
  const keptOnly: KeptOnly[] = [];
  for (const batch of batches) {
    if (!('readings' in batch)) {
      for (const kept of keptBy(batch)) {
        keptOnly.push(kept);
        for (const [key, value] of values) if (!isKeptBy(kept, value)) values.delete(key);
      }
      for (const value of 'discovery' in batch ? discoveredValues(batch) : []) {
        const key = `${value.deviceId}${value.path}`;
        if (!values.has(key)) values.set(key, value);
      }
      continue;
    }
    const { deviceId, scope } = batch;
    if (scope.length > 0) {
      for (const path of scope) {
        if (isOneValue(path, batch)) continue;
        const withDiscovered = batch.origin === 'WRITE' && path.resourceId === null;
        gone.push({ deviceId, path, withDiscovered });
      }
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
  return { values: sorted, gone, keptOnly };
}

/**
 * The objects that every device with a registration has: Server and Device. A list that names no instance of them is
 * incomplete.
 */
const ALWAYS_THERE: ReadonlySet<number> = new Set([1, 3]);
/** Core 1.2 §6.2.1: a list never names Security, OSCORE and MQTT Server. Some devices do not name Server either. */
const UNLISTED: readonly number[] = [0, 1, 21, 23];

/** The paths that a device has according to its list: instances, or objects of which it does not list the instances. */
function keptPaths(objects: readonly RegisteredObject[]): Path[] {
  const complete = listsInstances(objects);
  const unlisted = UNLISTED.filter((id) => !objects.some(({ objectId }) => objectId === id));
  const listed = objects.flatMap(({ objectId, instanceIds }) => {
    const instances = instanceIds.map((instanceId) => Path.of(objectId, instanceId));
    return instances.length === 0 && (!complete || ALWAYS_THERE.has(objectId)) ? [Path.of(objectId)] : instances;
  });
  return [...listed, ...unlisted.map((objectId) => Path.of(objectId))];
}

function keptBy(batch: DeviceObjects | DeviceDiscovery): KeptOnly[] {
  const { deviceId } = batch;
  if ('objects' in batch) return [{ deviceId, within: Path.root, paths: keptPaths(batch.objects) }];
  const { objectId, instances, resources, complete } = batch.discovery;
  const ofObject = objectId === null ? [] : [{ deviceId, within: Path.of(objectId), paths: instances }];
  return [
    ...ofObject,
    ...complete.map((within) => ({ deviceId, within, paths: resources.filter((path) => within.contains(path)) })),
  ];
}

function isKeptBy({ deviceId, within, paths }: KeptOnly, value: LastValue): boolean {
  if (value.deviceId !== deviceId || !within.contains(value.path)) return true;
  return paths.some((path) => path.contains(value.path));
}

/** Before every possible time of a reading, so that a discovered resource replaces no value and any value replaces it. */
const NEVER_MEASURED = EARLIEST - 1;

function discoveredValues({ deviceId, discovery }: DeviceDiscovery): LastValue[] {
  return discovery.resources.filter(isKept).map((path) => ({
    deviceId,
    path,
    type: null,
    guessed: false,
    value: null,
    measuredAt: NEVER_MEASURED,
    source: 'DISCOVER',
  }));
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
