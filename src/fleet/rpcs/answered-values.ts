import type { DecodedPayload, Path, Reading } from '../../lwm2m/index.ts';
import { isSecretPath, resourceTypeName, valueToJson, type JsonValue } from '../objects/index.ts';
import type { PlanSource } from '../operations/index.ts';

/** A value of a device's response, in the JSON of an RPC's result. */
export interface AnsweredValue {
  /** The resource, also of a multiple one; a resource instance only if the request was for it. */
  readonly path: string;
  /** As in the schema: `INTEGER`; null for a multiple resource without instances. */
  readonly type: string | null;
  /** A multiple resource: an object with its instances, such as `{"0": 1, "1": 5}`. */
  readonly value: JsonValue | Readonly<Record<string, JsonValue>>;
  /** ISO 8601; null if the device sent no time. */
  readonly time: string | null;
}

const REDACTED = '[redacted]';

/**
 * Returns the values of a response in the form that the resource tree has: one for each resource and time, in the order
 * of the response, then the multiple resources without instances.
 */
export function answeredValues(
  { readings, empty }: Pick<DecodedPayload, 'readings' | 'empty'>,
  requested: readonly Path[],
  source: PlanSource,
): AnsweredValue[] {
  const values = new Map<string, AnsweredValue>();
  for (const [index, reading] of readings.entries()) {
    const { path } = reading;
    const time = timeOf(reading);
    const value = isSecretPath(path, source) ? REDACTED : valueToJson(reading);
    const type = resourceTypeName(reading.type);
    if (path.level !== 'resource-instance' || requested.some((one) => one.equals(path))) {
      values.set(`${index}`, { path: String(path), type, value, time });
      continue;
    }
    const resource = path.cut(3);
    const key = `${resource} ${time}`;
    const known = values.get(key)?.value;
    const instances = { ...(typeof known === 'object' && known), [path.resourceInstanceId ?? 0]: value };
    values.set(key, { path: String(resource), type, value: instances, time });
  }
  const none = empty.filter(({ level }) => level === 'resource');
  return [...values.values(), ...none.map((path) => ({ path: String(path), type: null, value: {}, time: null }))];
}

function timeOf({ time }: Reading): string | null {
  const at = new Date(time === null ? Number.NaN : Math.round(time * 1000));
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}
