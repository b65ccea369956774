import type { ObjectModel } from '../../lwm2m/index.ts';
import { FleetError } from '../common/index.ts';
import { checkAttributes } from '../objects/index.ts';
import { isBuiltInMethod, type RpcMethod, STANDARD_METHODS } from '../operations/index.ts';
import { parseMappingPath } from './mapping-path.ts';
import { canShareName } from './metric-names.ts';
import type { ProfileInput, MetricMapping } from './profile.ts';

/** The profile that devices get if no other is chosen for them. */
export const DEFAULT_PROFILE: ProfileInput = {
  name: 'Default',
  mappings: [
    { path: '/3303/0/5700', metric: 'temperature' },
    { path: '/3304/0/5700', metric: 'humidity' },
    { path: '/3323/0/5700', metric: 'pressure' },
    { path: '/3/0/9', metric: 'battery_level' },
  ],
  methods: STANDARD_METHODS,
  offlineAfter: null,
  awakeTime: null,
};

const MOST_MAPPINGS = 200;
const MOST_METHODS = 100;
const LONGEST_SILENCE = 366 * 24 * 3600;
const LONGEST_AWAKE = 24 * 3600;
const METRIC = /^[A-Za-z_](?:[\w.-]|\{instance\}){0,127}$/;
const METHOD = /^[A-Za-z_][\w.-]{0,63}$/;
/** A parameter of the call can replace a number of the path: `/3311/{{instance}}/5850`. */
const METHOD_PATH = /^(?:\/(?:\d{1,5}|\{\{\w{1,64}\}\})){1,4}$/;

const PATH_EXAMPLES: Readonly<Record<RpcMethod['operation'], string>> = {
  READ: '/3/0/9',
  WRITE: '/3/0/15',
  EXECUTE: '/3/0/4',
  CREATE: '/3311',
  DELETE: '/3311/1',
};

/**
 * Throws FleetError VALIDATION; its field is the path into the input. `model` has the definitions of the tenant.
 */
export function checkProfile(input: ProfileInput, model: ObjectModel): void {
  const name = input.name.trim();
  if (name.length === 0 || name.length > 200 || /[\p{Surrogate}\p{Control}]/u.test(name))
    throw wrong(
      ['name'],
      'name must have 1..200 characters, blanks at its ends not counted, and no control characters',
    );
  const { mappings = [], methods = [], offlineAfter } = input;
  if (mappings.length > MOST_MAPPINGS)
    throw wrong(['mappings'], `a profile can have at most ${MOST_MAPPINGS} mappings, not ${mappings.length}`);
  if (methods.length > MOST_METHODS)
    throw wrong(['methods'], `a profile can have at most ${MOST_METHODS} methods, not ${methods.length}`);
  for (const [index, mapping] of mappings.entries()) checkMapping(mapping, model, ['mappings', String(index)]);
  for (const [index, method] of methods.entries()) checkMethod(method, ['methods', String(index)]);
  checkNames(mappings);
  checkSharedPaths(mappings);
  checkUnique(methods, (method) => method.name, ['methods'], 'name');
  if (
    offlineAfter != null &&
    !(Number.isInteger(offlineAfter) && offlineAfter > 0 && offlineAfter <= LONGEST_SILENCE)
  ) {
    throw wrong(
      ['offlineAfter'],
      `offlineAfter must be a whole number of seconds of 1..${LONGEST_SILENCE}, not ${offlineAfter}`,
    );
  }
  checkAwakeTime(input.awakeTime);
}

/** Checks the awake time of a profile or of a device. */
export function checkAwakeTime(seconds: number | null | undefined): void {
  if (seconds == null || (Number.isInteger(seconds) && seconds >= 1 && seconds <= LONGEST_AWAKE)) return;
  throw wrong(['awakeTime'], `awakeTime must be a whole number of seconds of 1..${LONGEST_AWAKE}, not ${seconds}`);
}

function checkMapping(mapping: MetricMapping, model: ObjectModel, field: readonly string[]): void {
  const { instanceId } = parseMappingPath(mapping.path, [...field, 'path']);
  checkResource(mapping, model, field);
  if (!METRIC.test(mapping.metric)) {
    throw wrong(
      [...field, 'metric'],
      `${JSON.stringify(mapping.metric)} is not a metric name: it must match ^[A-Za-z_][\\w.-]*$, apart from {instance}, and have at most 128 characters`,
    );
  }
  if (instanceId === null && !mapping.metric.includes('{instance}')) {
    throw wrong(
      [...field, 'metric'],
      'the metric name must contain {instance} because the path contains *: write temperature_{instance}, for example',
    );
  }
  for (const name of ['scale', 'offset'] as const) {
    const value = mapping[name];
    if (value != null && !Number.isFinite(value))
      throw wrong([...field, name], `${name} must be a finite number, not ${value}`);
    if (value != null && mapping.kind === 'string')
      throw wrong([...field, name], `${name} applies to numbers only, but kind is string: leave ${name} out`);
  }
  if (!mapping.attributes) return;
  checkAttributes(mapping.attributes, [...field, 'attributes']);
  const { pmin, pmax } = mapping.attributes;
  // Core 1.2 §7.3.2: a device ignores a pmax that is smaller than pmin.
  if (typeof pmin === 'number' && typeof pmax === 'number' && pmin > pmax)
    throw wrong([...field, 'attributes', 'pmin'], `pmin (${pmin}) must not be above pmax (${pmax})`);
}

/** Refuses a mapping that can never have a value, as far as the definition of the resource is known. */
function checkResource({ path, kind }: MetricMapping, model: ObjectModel, field: readonly string[]): void {
  const { objectId, below } = parseMappingPath(path, [...field, 'path']);
  const resource = model.resource(objectId, below[0] ?? -1);
  if (!resource) return;
  const { name, operations, type } = resource;
  if (operations === 'E' || operations === 'W') {
    const why = operations === 'E' ? 'is executable and has no value' : 'can only be written';
    throw wrong([...field, 'path'], `${path} (${name}) ${why}`);
  }
  if (type === 'Opaque' && kind !== 'string')
    throw wrong([...field, 'kind'], `${path} (${name}) is Opaque: it can only be recorded with kind STRING`);
  if ((type === 'Objlnk' || type === 'Corelnk') && kind === 'numeric')
    throw wrong([...field, 'kind'], `${path} (${name}) is ${type} and never a number`);
}

/** Two mappings must not make metrics of one name, because one value would replace the other. */
function checkNames(mappings: readonly MetricMapping[]): void {
  for (const [index, mapping] of mappings.entries()) {
    const other = mappings.slice(0, index).find((each) => canShareName(each, mapping));
    if (!other) continue;
    throw wrong(
      ['mappings', String(index), 'metric'],
      `${mapping.metric} of ${mapping.path} can have the same name as ${other.metric} of ${other.path}`,
    );
  }
}

/** Mappings of one path share its observation, and so its notification attributes. */
function checkSharedPaths(mappings: readonly MetricMapping[]): void {
  for (const [index, { path, attributes }] of mappings.entries()) {
    if (!attributes) continue;
    const other = mappings.slice(0, index).find((each) => each.path === path && each.attributes);
    if (other) {
      throw wrong(
        ['mappings', String(index), 'attributes'],
        `${path} has attributes already, in the mapping of ${other.metric}: give them once`,
      );
    }
  }
}

function checkMethod(method: RpcMethod, field: readonly string[]): void {
  if (!METHOD.test(method.name)) {
    throw wrong(
      [...field, 'name'],
      `${JSON.stringify(method.name)} is not a method name: it must match ^[A-Za-z_][\\w.-]*$ and have at most 64 characters`,
    );
  }
  const standard = STANDARD_METHODS.find(({ name }) => name === method.name);
  const isStandard = standard?.operation === method.operation && standard.path === method.path;
  if (isBuiltInMethod(method.name) && !isStandard) {
    throw wrong(
      [...field, 'name'],
      `${method.name} is a method that every device has: choose another name, because a call of it would be ambiguous`,
    );
  }
  const levels = method.path.split('/').length - 1;
  const fits = method.operation === 'CREATE' ? levels === 1 : method.operation === 'EXECUTE' ? levels === 3 : true;
  if (!METHOD_PATH.test(method.path) || !fits) {
    throw wrong(
      [...field, 'path'],
      `${JSON.stringify(method.path)} is not a path for ${method.operation}, such as ${PATH_EXAMPLES[method.operation]}`,
    );
  }
}

function checkUnique<T>(items: readonly T[], key: (item: T) => string, field: readonly string[], name: string): void {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    if (seen.has(key(item))) throw wrong([...field, String(index), name], `${key(item)} appears twice`);
    seen.add(key(item));
  }
}

function wrong(field: readonly string[], message: string): FleetError {
  return new FleetError('VALIDATION', message, { field });
}
