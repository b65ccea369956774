import {
  checkOperation,
  checkRequest,
  Lwm2mError,
  type Lwm2mVersion,
  type Operation,
  type Path,
  type PathValue,
  type Registration,
} from '../../lwm2m/index.ts';
import { FleetError, LIMITS } from '../common/index.ts';
import {
  checkAttributes,
  definitionAt,
  parsePath,
  typedValues,
  valuesAt,
  type DefinitionSource,
} from '../objects/index.ts';
import { rangeProblem, writeProblem } from './write-rules.ts';
import type { CompositeChoice, OperationInput } from './operation-input.ts';

/** The device for which an operation is planned: its objects, their definitions and its LwM2M version. */
export interface PlanSource extends DefinitionSource {
  readonly lwm2mVersion: Lwm2mVersion;
  /** The registration of the device. When given, the plan is also checked by the formats that can carry it. */
  readonly registration?: Registration | undefined;
}

/**
 * The LwM2M requests that carry out one operation of the API. `together` is one request for the whole operation. If it is
 * null, or if the device does not support it, the `singles` are sent one after another.
 */
export interface Plan {
  readonly together: Operation | null;
  readonly singles: readonly Operation[];
}

const EXECUTE_ARGUMENT = /^[!\x23-\x26\x28-\x5b\x5d-\x7e]*$/;

/** Throws FleetError VALIDATION with the field if the operation is invalid for the device's LwM2M version and objects. */
export function planOperation(input: OperationInput, source: PlanSource): Plan {
  const plan = unchecked(input, source);
  if (plan.together) checkPlanned(plan.together, input, null, source);
  for (const [index, single] of plan.singles.entries()) checkPlanned(single, input, index, source);
  return plan;
}

/** Checks a request by the rules of lwm2m and turns its error into one that names the field of the caller's input. */
function checkPlanned(operation: Operation, input: OperationInput, index: number | null, source: PlanSource): void {
  const { registration, lwm2mVersion, model } = source;
  try {
    if (registration) checkRequest(operation, registration, model);
    else checkOperation(operation, lwm2mVersion);
  } catch (error) {
    if (!(error instanceof Lwm2mError && error.code === 'INVALID_ARGUMENT')) throw error;
    throw new FleetError('VALIDATION', error.message, {
      field: fieldOf(input, index, error.argument ?? carriedIn(input)),
      cause: error,
    });
  }
}

/** The part of the input that no request can carry, when the check of the request names no argument. */
function carriedIn(input: OperationInput): readonly string[] | null {
  if ('attributes' in input && input.attributes) return ['attributes'];
  if ('contentFormat' in input && input.contentFormat != null) return ['contentFormat'];
  return null;
}

/**
 * `index` is the index in the plan's singles. A write in mode UPDATE groups its values by instance, so that this index
 * names no value.
 */
function fieldOf(input: OperationInput, index: number | null, argument: readonly string[] | null): readonly string[] {
  if (input.kind === 'read' && argument?.[0] === 'path') return ['paths', String(index ?? 0)];
  if (input.kind !== 'write') return argument ?? [];
  if (argument?.[0] === 'mode' || argument?.[0] === 'contentFormat') return argument;
  return input.mode === 'UPDATE' ? ['values'] : ['values', String(index ?? 0), 'path'];
}

function unchecked(input: OperationInput, source: PlanSource): Plan {
  const format = contentFormatOf(input);
  switch (input.kind) {
    case 'read':
      return planRead(input, source, format);
    case 'write':
      return planWrite(input, source, format);
    case 'execute': {
      const path = parsePath(input.path, ['path']);
      const operations = definitionAt(path, source)?.operations;
      if (operations !== undefined && operations !== 'E') throw wrong(['path'], `${path} is not executable`);
      return one({ kind: 'execute', path, arguments: checkedArguments(input.arguments ?? {}) });
    }
    case 'create':
      return one(planCreate(input, source, format));
    case 'delete':
      return one({ kind: 'delete', path: parsePath(input.path, ['path']) });
    case 'discover': {
      const path = belowRoot(input.path, ['path']);
      const { depth } = input;
      return one({ kind: 'discover', path, ...(depth == null ? {} : { depth }) });
    }
    case 'write-attributes': {
      const path = belowRoot(input.path, ['path']);
      checkAttributes(input.attributes, ['attributes']);
      if (Object.values(input.attributes).every((value) => value === undefined)) {
        throw wrong(['attributes'], 'must set at least one attribute');
      }
      return one({ kind: 'write-attributes', path, attributes: input.attributes });
    }
    case 'observe': {
      const paths = parsePaths(input.paths);
      const observe: Operation = { kind: 'observe', paths, ...format };
      const { attributes } = input;
      if (!attributes) return one(observe);
      checkAttributes(attributes, ['attributes']);
      // LwM2M 1.2 sends the attributes in the Observe request (Core 1.2 §6.4.1); earlier versions need Write-Attributes first.
      if (source.lwm2mVersion === '1.2') return one({ ...observe, attributes });
      const writes = paths.map((path): Operation => ({ kind: 'write-attributes', path, attributes }));
      return { together: null, singles: [...writes, observe] };
    }
    case 'cancel-observation':
      return one({ kind: 'cancel-observation', paths: parsePaths(input.paths), passive: input.passive ?? false });
  }
}

type ReadInput = Extract<OperationInput, { kind: 'read' }>;
type WriteInput = Extract<OperationInput, { kind: 'write' }>;
type CreateInput = Extract<OperationInput, { kind: 'create' }>;
type Format = { contentFormat?: number };

function planRead(input: ReadInput, source: PlanSource, format: Format): Plan {
  const paths = parsePaths(input.paths, parsePath);
  for (const [index, path] of paths.entries()) mayRead(path, ['paths', String(index)], source);
  if (input.withoutAccept && input.composite === 'ALWAYS')
    throw wrong(['composite'], 'ALWAYS cannot be combined with withoutAccept: leave one of them out');
  if (input.withoutAccept) return one(readWithoutAccept(paths, format));
  // Only Read-Composite can read the root (Core 1.2 §6.3.8), so that this plan has no singles.
  if (paths.some(isRoot) && input.composite === 'NEVER')
    throw wrong(['composite'], 'only a Read-Composite can read the root: leave NEVER out, or name objects, such as /3');
  if (paths.some(isRoot)) return one({ kind: 'read-composite', paths, ...format });
  const singles = paths.map((path): Operation => ({ kind: 'read', path, ...format }));
  return choose(input.composite, { kind: 'read-composite', paths, ...format }, singles, source);
}

/** Only a Read of one path can leave out Accept: the server chooses the formats of a composite's request and response. */
function readWithoutAccept([path, ...more]: readonly Path[], { contentFormat }: Format): Operation {
  if (contentFormat !== undefined)
    throw wrong(
      ['withoutAccept'],
      `withoutAccept cannot be combined with contentFormat ${contentFormat}: leave one of them out`,
    );
  if (path === undefined || more.length > 0 || isRoot(path)) {
    throw wrong(['withoutAccept'], 'withoutAccept requires exactly one path, which is not the root');
  }
  return { kind: 'read', path, contentFormat: null };
}

function planWrite(input: WriteInput, source: PlanSource, format: Format): Plan {
  if (input.values.length === 0 || input.values.length > LIMITS.values) {
    throw wrong(['values'], `must hold 1..${LIMITS.values} values, not ${input.values.length}`);
  }
  const written = input.values.map((value, index) => ({
    path: parsePath(value.path, ['values', String(index), 'path']),
    values: typedValues(value, ['values', String(index)], source),
  }));
  for (const [index, { values }] of input.force ? [] : written.entries()) {
    for (const value of values) {
      const problem = writeProblem(value, source);
      if (problem !== null) throw wrong(['values', String(index)], problem);
    }
  }
  if (input.mode === 'REPLACE') {
    if (input.composite === 'ALWAYS')
      throw wrong(['composite'], 'a Write-Composite can only UPDATE: set mode to UPDATE, or leave ALWAYS out');
    // Write-Composite updates like a partial update and does not replace (Core 1.2 §6.3.10), so that this plan has none.
    const singles = written.map(({ path, values }): Operation => ({
      kind: 'write',
      path,
      values,
      mode: 'replace',
      ...format,
    }));
    return singles.length === 1 ? one(singles[0]) : { together: null, singles };
  }
  const byInstance = new Map<string, { path: Path; values: PathValue[] }>();
  for (const { path, values } of written) {
    const instance = path.cut(2);
    const group = byInstance.get(String(instance)) ?? { path: instance, values: [] };
    group.values.push(...values);
    byInstance.set(String(instance), group);
  }
  const singles = [...byInstance.values()].map(({ path, values }): Operation => ({
    kind: 'write',
    path,
    values,
    mode: 'update',
    ...format,
  }));
  const values = written.flatMap((group) => group.values);
  return choose(input.composite, { kind: 'write-composite', values, ...format }, singles, source);
}

/** Composite operations require LwM2M 1.1 (Core 1.1 §5.4.1); `planOperation` refuses ALWAYS for an earlier version. */
function choose(
  composite: CompositeChoice | null | undefined,
  together: Operation,
  singles: readonly Operation[],
  { lwm2mVersion }: PlanSource,
): Plan {
  if (composite === 'ALWAYS') return one(together);
  if (singles.length === 1) return one(singles[0]);
  return { together: composite === 'NEVER' || lwm2mVersion === '1.0' ? null : together, singles };
}

function planCreate(input: CreateInput, source: PlanSource, format: Format): Operation {
  const { objectId, instanceId } = input;
  const object = parsePath(`/${objectId}`, ['objectId']);
  const instance = instanceId == null ? object.child(0) : parsePath(`/${objectId}/${instanceId}`, ['instanceId']);
  const values = input.values.flatMap((value, index) => {
    const field = ['values', String(index)];
    const path = parsePath(`${instance}/${value.path.replace(/^\//, '')}`, [...field, 'path']);
    const made = valuesAt(path, value.value, [...field, 'value'], source);
    const problem = input.force
      ? undefined
      : made.map((each) => rangeProblem(each, source)).find((each) => each !== null);
    if (problem) throw wrong(field, `${problem}: change it, or set force`);
    return made;
  });
  return {
    kind: 'create',
    objectId,
    instanceId: instanceId ?? null,
    values: values.map(({ path, value }) => ({ resource: path.ids.slice(2), value })),
    ...format,
  };
}

function one(operation: Operation | undefined): Plan {
  return { together: operation ?? null, singles: [] };
}

function wrong(field: readonly string[], message: string): FleetError {
  return new FleetError('VALIDATION', message, { field });
}

function parsePaths(texts: readonly string[], parse = belowRoot): Path[] {
  if (texts.length === 0 || texts.length > LIMITS.paths) {
    throw wrong(['paths'], `must hold 1..${LIMITS.paths} paths, not ${texts.length}`);
  }
  const paths = texts.map((text, index) => parse(text, ['paths', String(index)]));
  const seen = new Set<string>();
  for (const [index, path] of paths.entries()) {
    if (seen.has(String(path))) throw wrong(['paths', String(index)], `${path} appears twice`);
    seen.add(String(path));
  }
  return paths;
}

function belowRoot(text: string, field: readonly string[]): Path {
  const path = parsePath(text, field);
  if (isRoot(path)) throw wrong(field, 'must name at least an object, such as /3, not the root');
  return path;
}

function isRoot(path: Path): boolean {
  return path.level === 'root';
}

function mayRead(path: Path, field: readonly string[], source: PlanSource): void {
  if (isRoot(path) && source.lwm2mVersion === '1.0')
    throw wrong(field, 'reading the root requires LwM2M 1.1 or later; the device uses 1.0: name an object, such as /3');
  if (definitionAt(path, source)?.operations === 'E')
    throw wrong(field, `${path} is executable and has no value: leave it out`);
}

/** Core 1.2 §6.3.5: `arg = DIGIT ["=" "'" *CHAR "'"]`. */
function checkedArguments(given: Readonly<Record<string, string | null>>): Readonly<Record<string, string | null>> {
  for (const [digit, value] of Object.entries(given)) {
    if (!/^\d$/.test(digit)) throw wrong(['arguments', digit], `${JSON.stringify(digit)} must be one digit 0..9`);
    if (value !== null && !EXECUTE_ARGUMENT.test(value)) {
      throw wrong(['arguments', digit], 'must consist of visible ASCII characters other than " \' and \\');
    }
  }
  return given;
}

function contentFormatOf(input: OperationInput): Format {
  if (!('contentFormat' in input) || input.contentFormat == null) return {};
  const { contentFormat } = input;
  if (!Number.isInteger(contentFormat) || contentFormat < 0 || contentFormat > 65_535) {
    throw wrong(['contentFormat'], `${contentFormat} is not a content format: it must be an integer of 0..65535`);
  }
  return { contentFormat };
}
