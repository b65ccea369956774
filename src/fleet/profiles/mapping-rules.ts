import {
  formatAttributes,
  Lwm2mError,
  Path,
  type NotificationAttributes,
  type ObjectModel,
  type ResourceDefinition,
} from '../../lwm2m/index.ts';
import { checkAttributes } from '../objects/index.ts';
import { parseMappingPath } from './mapping-path.ts';
import { canShareName } from './metric-names.ts';
import type { MetricMapping } from './profile.ts';
import { wrong } from './wrong.ts';

const METRIC = /^[A-Za-z_](?:[\w.-]|\{instance\}){0,127}$/;

/**
 * Throws FleetError VALIDATION for mappings that are invalid, can never have a value, or can make one name twice. Its
 * field is the path in the profile.
 */
export function checkMappings(mappings: readonly MetricMapping[], model: ObjectModel): void {
  for (const [index, mapping] of mappings.entries()) checkMapping(mapping, model, ['mappings', String(index)]);
  checkNames(mappings);
  checkSharedPaths(mappings);
}

function checkMapping(mapping: MetricMapping, model: ObjectModel, field: readonly string[]): void {
  const { instanceId } = parseMappingPath(mapping.path, [...field, 'path']);
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
  checkPeriods(mapping.attributes ?? {}, [...field, 'attributes']);
  checkResource(mapping, model, field);
}

function checkPeriods(attributes: NotificationAttributes, field: readonly string[]): void {
  checkAttributes(attributes, field);
  const { pmin, pmax } = attributes;
  // Core 1.2 §7.3.2: a device ignores a pmax that is smaller than pmin.
  if (typeof pmin === 'number' && typeof pmax === 'number' && pmin > pmax)
    throw wrong([...field, 'pmin'], `pmin (${pmin}) must not be above pmax (${pmax})`);
}

/**
 * Refuses a mapping that can never have a value. Without a definition of the resource nothing is known; with several
 * versions of it, each must rule the mapping out.
 */
function checkResource(mapping: MetricMapping, model: ObjectModel, field: readonly string[]): void {
  const { objectId, below } = parseMappingPath(mapping.path, [...field, 'path']);
  const resources = [...model.definitions()]
    .filter(({ id }) => id === objectId)
    .flatMap((object) => object.resources.filter(({ id }) => id === below[0]));
  const problems = resources.map((resource) => problemOf(mapping, below.length > 1, resource));
  const [problem] = problems;
  if (!problem || problems.some((each) => each === null)) return;
  throw wrong([...field, ...problem.field], problem.message);
}

interface Problem {
  readonly field: readonly string[];
  readonly message: string;
}

function problemOf(
  { path, kind, scale, offset, attributes }: MetricMapping,
  isInstance: boolean,
  { name, operations, type, multiple }: ResourceDefinition,
): Problem | null {
  const at = `${path} (${name})`;
  if (operations === 'E') return { field: ['path'], message: `${at} is executable and has no value` };
  if (!operations.includes('R')) {
    const why = operations === 'W' ? 'can only be written' : 'is only for the bootstrap server';
    return { field: ['path'], message: `${at} ${why}` };
  }
  if (isInstance && !multiple) {
    return { field: ['path'], message: `${at} is a single resource: leave the resource instance id out` };
  }
  if (type === 'Opaque' && kind !== 'string') {
    return { field: ['kind'], message: `${at} is Opaque: it can only be recorded with kind STRING` };
  }
  if ((type === 'Objlnk' || type === 'Corelnk') && kind === 'numeric') {
    return { field: ['kind'], message: `${at} is ${type} and never a number` };
  }
  if (kind == null && (type === 'String' || type === 'Objlnk' || type === 'Corelnk')) {
    const given = scale != null ? 'scale' : offset != null ? 'offset' : null;
    const advice = type === 'String' ? `set kind NUMERIC, or leave ${given} out` : `leave ${given} out`;
    if (given) return { field: [given], message: `${given} applies to numbers only, but ${at} is ${type}: ${advice}` };
  }
  return attributes ? attributeProblem(attributes, path, type) : null;
}

/** An attribute that the type of the resource rules out makes the device refuse the observation (Core 1.2 §7.3.2). */
function attributeProblem(
  attributes: NotificationAttributes,
  path: string,
  type: ResourceDefinition['type'],
): Problem | null {
  const target = { paths: [Path.parse(path.replace('*', '0'))], lwm2mVersion: '1.2', type: type ?? undefined } as const;
  for (const [name, value] of Object.entries(attributes)) {
    try {
      formatAttributes({ [name]: value }, target);
    } catch (error) {
      if (error instanceof Lwm2mError) return { field: ['attributes', name], message: error.message };
      throw error;
    }
  }
  return null;
}

/** Two mappings must not make metrics of one name, because one value would replace the other. */
function checkNames(mappings: readonly MetricMapping[]): void {
  for (const [index, mapping] of mappings.entries()) {
    const other = mappings.slice(0, index).find((each) => canShareName(each, mapping));
    if (!other) continue;
    throw wrong(
      ['mappings', String(index), 'metric'],
      `${mapping.metric} of ${mapping.path} can have the same name as ${other.metric} of ${other.path}; underscores at the end make no difference`,
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
