import { isSecretObject, type Path, type Reading, type ReadingOrigin } from '../../lwm2m/index.ts';
import type { DeviceId } from '../access/index.ts';
import { valueToJson } from '../objects/index.ts';

/** What one batch of readings says of a device's tree. */
export interface DeviceReadings {
  readonly deviceId: DeviceId;
  readonly origin: ReadingOrigin;
  /** What was asked for: what is known below and is not in `readings` or `empty` is gone. */
  readonly scope: readonly Path[];
  readonly readings: readonly Reading[];
  readonly empty: readonly Path[];
  readonly receivedAt: number;
}

/** A last value to be, of a resource or a resource instance. */
export interface LastValue {
  readonly deviceId: DeviceId;
  readonly path: Path;
  readonly type: string | null;
  readonly guessed: boolean;
  /** JSON text; null when the value is too large to keep. */
  readonly value: string | null;
  readonly measuredAt: number;
  readonly source: ReadingOrigin;
}

/** Below this path of the device nothing stays but the last values to be. */
export interface GoneBelow {
  readonly deviceId: DeviceId;
  readonly path: Path;
}

export interface TreeChange {
  /** At most one for each place, sorted by place. */
  readonly values: readonly LastValue[];
  readonly gone: readonly GoneBelow[];
}

/** A multiple resource without instances. */
const NO_INSTANCES = '{}';
const LARGEST_VALUE = 256 * 1024;
const EARLIEST = Date.UTC(1970, 0, 1);

/** What several batches, in their order, do to the tree: the newest value of each place wins, of equals the last. */
export function treeChange(batches: readonly DeviceReadings[]): TreeChange {
  const values = new Map<string, LastValue>();
  const gone: GoneBelow[] = [];
  for (const batch of batches) {
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
  return { values: sorted, gone };
}

/** The common notification: one resource asked, its one value came. Nothing else can be below it. */
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
  // The tree is the device's own: what a gateway says of its end devices goes to telemetry only.
  if (path.prefix !== null || path.objectId === null || path.resourceId === null) return false;
  return !isSecretObject(path.objectId);
}

/**
 * In milliseconds since the Unix epoch, `seconds` being null for now. Nothing is measured after it was received: a
 * device whose clock runs ahead would otherwise keep its later values out.
 */
export function measuredAt(seconds: number | null, receivedAt: number): number {
  const said = seconds === null ? receivedAt : Math.round(seconds * 1000);
  return said >= EARLIEST && said < receivedAt ? said : receivedAt;
}
