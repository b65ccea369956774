import { canHaveName, parseMappingPath, type MetricMapping } from '../fleet/index.ts';
import { metricValue, timeOf, type Conversion, type Reading, type Refusal } from './metric-value.ts';

/** The metrics of one device at one time. */
export interface Measurement {
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  /** True if the device supplied the time; false: the time is that of the arrival. */
  readonly supplied: boolean;
  readonly numericValues: Readonly<Record<string, number>>;
  readonly stringValues: Readonly<Record<string, string>>;
}

export interface Measured {
  /** In the order of the first reading of each time. */
  readonly measurements: readonly Measurement[];
  /** Readings that a mapping matches but whose value can't become a metric, or not exactly (`inexact`). */
  readonly refused: readonly { readonly reading: Reading; readonly reason: Refusal }[];
}

interface CompiledMapping extends Conversion {
  readonly instanceId: number | null;
  /** Null: the resource and every instance of a multiple resource. */
  readonly resourceInstanceId: number | null;
  readonly metric: string;
  readonly others: readonly MetricMapping[];
}

/** By object and resource: `3303/5700`. */
type CompiledMappings = ReadonlyMap<string, readonly CompiledMapping[]>;

/** Cached by array: the array stays the same object until the profile changes. */
const compiled = new WeakMap<readonly MetricMapping[], CompiledMappings>();

interface ValuesOfOneTime {
  supplied: boolean;
  readonly numeric: Map<string, number>;
  readonly string: Map<string, string>;
}

/**
 * Converts the readings of one payload to metrics. Readings with the same time share a measurement. Every mapping that
 * matches a reading adds its metric; a reading without a mapping is ignored. If one metric occurs twice at one time,
 * the later reading of the payload wins.
 *
 * In a metric's name, `{instance}` is replaced by the object instance id. A mapping of a multiple resource matches each
 * of its instances and appends `_` and the resource instance id: `/3/0/7` → `power` results in `power_0`, `power_1`.
 * When another mapping can have that name, more `_` keep them apart: `power__0`.
 */
export function measure(
  mappings: readonly MetricMapping[],
  readings: readonly Reading[],
  receivedAt: number,
): Measured {
  const byResource = compile(mappings);
  const times = new Map<number, ValuesOfOneTime>();
  const refused: { reading: Reading; reason: Refusal }[] = [];
  for (const reading of readings) {
    for (const mapping of byResource.get(resourceOf(reading)) ?? []) {
      if (!fits(mapping, reading)) continue;
      const time = timeOf(reading, receivedAt);
      const result = metricValue(reading, mapping);
      if (result.kind === 'refused' || time === null) {
        refused.push({ reading, reason: result.kind === 'refused' ? result.reason : 'time-out-of-range' });
        continue;
      }
      if (result.kind === 'numeric' && !result.exact) refused.push({ reading, reason: 'inexact' });
      const values = times.get(time) ?? { supplied: false, numeric: new Map(), string: new Map() };
      times.set(time, values);
      values.supplied ||= reading.time !== null;
      const metric = metricOf(mapping, reading);
      if (result.kind === 'numeric') values.numeric.set(metric, result.value);
      else values.string.set(metric, result.value);
    }
  }
  const measurements = [...times].map(([time, values]) => ({
    time,
    supplied: values.supplied,
    numericValues: Object.fromEntries(values.numeric),
    stringValues: Object.fromEntries(values.string),
  }));
  return { measurements, refused };
}

function compile(mappings: readonly MetricMapping[]): CompiledMappings {
  const known = compiled.get(mappings);
  if (known) return known;
  const byResource = new Map<string, CompiledMapping[]>();
  for (const mapping of mappings) {
    const { objectId, instanceId, below } = parseMappingPath(mapping.path, ['path']);
    const [resourceId, resourceInstanceId] = below;
    const key = `${objectId}/${resourceId}`;
    const line: CompiledMapping = {
      instanceId,
      resourceInstanceId: resourceInstanceId ?? null,
      metric: mapping.metric,
      others: mappings.filter((other) => other !== mapping && beginAlike(other, mapping)),
      kind: mapping.kind ?? null,
      scale: mapping.scale ?? 1,
      offset: mapping.offset ?? 0,
    };
    byResource.set(key, [...(byResource.get(key) ?? []), line]);
  }
  compiled.set(mappings, byResource);
  return byResource;
}

/** True if the names of both can begin alike, so that few names must be compared for a reading. */
function beginAlike(one: MetricMapping, other: MetricMapping): boolean {
  const [left = '', right = ''] = [one.metric, other.metric].map((metric) => metric.split('{')[0]);
  return left.startsWith(right) || right.startsWith(left);
}

function resourceOf({ path }: Reading): string {
  return `${path.objectId}/${path.resourceId}`;
}

function fits({ instanceId, resourceInstanceId }: CompiledMapping, { path }: Reading): boolean {
  return (
    (instanceId === null || instanceId === path.instanceId) &&
    (resourceInstanceId === null || resourceInstanceId === path.resourceInstanceId)
  );
}

function metricOf({ metric, resourceInstanceId, others }: CompiledMapping, { path }: Reading): string {
  const name = metric.replaceAll('{instance}', String(path.instanceId));
  if (resourceInstanceId !== null || path.resourceInstanceId === null) return name;
  let separator = '_';
  const named = (): string => `${name}${separator}${path.resourceInstanceId}`;
  while (others.some((other) => canHaveName(other, named()))) separator += '_';
  return named();
}
