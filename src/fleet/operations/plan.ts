import {
  checkOperation,
  Lwm2mError,
  type Lwm2mVersion,
  type Operation,
  type Path,
  type PathValue,
} from '../../lwm2m/index.ts';
import { FleetError } from '../common/index.ts';
import {
  checkAttributes,
  definitionAt,
  parsePath,
  typedValues,
  valuesAt,
  type DefinitionSource,
} from '../objects/index.ts';
import type { OperationInput } from './operation-input.ts';

export interface PlanSource extends DefinitionSource {
  readonly lwm2mVersion: Lwm2mVersion;
}

/**
 * What an operation of the API becomes on the wire. `together` is one request for all of it; where it is null, or the
 * device refuses it as unknown, the `singles` go one after the other.
 */
export interface Plan {
  readonly together: Operation | null;
  readonly singles: readonly Operation[];
}

const MOST_PATHS = 100;
const EXECUTE_ARGUMENT = /^[!\x23-\x26\x28-\x5b\x5d-\x7e]*$/;

/** Throws FleetError VALIDATION, naming the field, for what can't be asked of any device. */
export function planOperation(input: OperationInput, source: PlanSource): Plan {
  const plan = unchecked(input, source);
  if (plan.together) checkPlanned(plan.together, input, null, source.lwm2mVersion);
  for (const [index, single] of plan.singles.entries()) checkPlanned(single, input, index, source.lwm2mVersion);
  return plan;
}

/** The rules of the protocol are lwm2m's; the error names the field of the caller's input. */
function checkPlanned(operation: Operation, input: OperationInput, index: number | null, version: Lwm2mVersion): void {
  try {
    checkOperation(operation, version);
  } catch (error) {
    if (!(error instanceof Lwm2mError && error.code === 'INVALID_ARGUMENT')) throw error;
    throw new FleetError('VALIDATION', error.message, { field: fieldOf(input, index, error.argument), cause: error });
  }
}

/** `index`: which of the plan's singles it is. A write in the mode UPDATE groups its values by instance. */
function fieldOf(input: OperationInput, index: number | null, argument: readonly string[] | null): readonly string[] {
  if (input.kind === 'read' && argument?.[0] === 'path') return ['paths', String(index ?? 0)];
  if (input.kind !== 'write') return argument ?? [];
  if (argument?.[0] === 'mode') return argument;
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
        throw wrong(['attributes'], 'at least one attribute is wanted');
      }
      return one({ kind: 'write-attributes', path, attributes: input.attributes });
    }
    case 'observe': {
      const paths = parsePaths(input.paths);
      const observe: Operation = { kind: 'observe', paths, ...format };
      const { attributes } = input;
      if (!attributes) return one(observe);
      checkAttributes(attributes, ['attributes']);
      // Attributes in the request itself came with 1.2 (Core 1.2 §6.4.1); before, they are written first.
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
  if (input.withoutAccept) return one(readWithoutAccept(paths, format));
  // Only a composite reaches the root (Core 1.2 §6.3.8): there is nothing to fall back on.
  if (paths.some(isRoot)) return one({ kind: 'read-composite', paths, ...format });
  const singles = paths.map((path): Operation => ({ kind: 'read', path, ...format }));
  if (singles.length === 1) return one(singles[0]);
  // Read-Composite came with 1.1 (Core 1.1 §5.4.1).
  return { together: source.lwm2mVersion === '1.0' ? null : { kind: 'read-composite', paths, ...format }, singles };
}

/** A composite's body is in a format of the server's choice, and so is its answer: this is for a single Read. */
function readWithoutAccept([path, ...more]: readonly Path[], { contentFormat }: Format): Operation {
  if (contentFormat !== undefined) throw wrong(['withoutAccept'], `it excludes contentFormat ${contentFormat}`);
  if (path === undefined || more.length > 0 || isRoot(path)) {
    throw wrong(['withoutAccept'], 'one path below the root is read without Accept, not several');
  }
  return { kind: 'read', path, contentFormat: null };
}

function planWrite(input: WriteInput, source: PlanSource, format: Format): Plan {
  if (input.values.length === 0 || input.values.length > MOST_PATHS) {
    throw wrong(['values'], `1..${MOST_PATHS} values are wanted, not ${input.values.length}`);
  }
  const written = input.values.map((value, index) => ({
    path: parsePath(value.path, ['values', String(index), 'path']),
    values: typedValues(value, ['values', String(index)], source),
  }));
  if (input.mode === 'REPLACE') {
    // No composite: Write-Composite adds and overwrites like a partial update, it does not replace (Core 1.2 §6.3.10).
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
  if (singles.length === 1) return one(singles[0]);
  const values = written.flatMap((group) => group.values);
  return { together: source.lwm2mVersion === '1.0' ? null : { kind: 'write-composite', values, ...format }, singles };
}

function planCreate(input: CreateInput, source: PlanSource, format: Format): Operation {
  const { objectId, instanceId } = input;
  const object = parsePath(`/${objectId}`, ['objectId']);
  const instance = instanceId == null ? object.child(0) : parsePath(`/${objectId}/${instanceId}`, ['instanceId']);
  const values = input.values.flatMap((value, index) => {
    const field = ['values', String(index)];
    const path = parsePath(`${instance}/${value.path.replace(/^\//, '')}`, [...field, 'path']);
    return valuesAt(path, value.value, [...field, 'value'], source);
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
  if (texts.length === 0 || texts.length > MOST_PATHS) {
    throw wrong(['paths'], `1..${MOST_PATHS} paths are wanted, not ${texts.length}`);
  }
  const paths = texts.map((text, index) => parse(text, ['paths', String(index)]));
  const seen = new Set<string>();
  for (const [index, path] of paths.entries()) {
    if (seen.has(String(path))) throw wrong(['paths', String(index)], `${path} is named twice`);
    seen.add(String(path));
  }
  return paths;
}

function belowRoot(text: string, field: readonly string[]): Path {
  const path = parsePath(text, field);
  if (isRoot(path)) throw wrong(field, 'the root can’t be asked: name an object, as in /3');
  return path;
}

function isRoot(path: Path): boolean {
  return path.level === 'root';
}

function mayRead(path: Path, field: readonly string[], source: PlanSource): void {
  if (isRoot(path) && source.lwm2mVersion === '1.0')
    throw wrong(field, 'LwM2M 1.0 can’t read the root: name an object');
  if (definitionAt(path, source)?.operations === 'E') throw wrong(field, `${path} is executable and has no value`);
}

/** Core 1.2 §6.3.5: `arg = DIGIT ["=" "'" *CHAR "'"]`. */
function checkedArguments(given: Readonly<Record<string, string | null>>): Readonly<Record<string, string | null>> {
  for (const [digit, value] of Object.entries(given)) {
    if (!/^\d$/.test(digit)) throw wrong(['arguments', digit], `${JSON.stringify(digit)} is no digit 0..9`);
    if (value !== null && !EXECUTE_ARGUMENT.test(value)) {
      throw wrong(['arguments', digit], 'only visible ASCII without blank, quotes and backslash can be sent');
    }
  }
  return given;
}

function contentFormatOf(input: OperationInput): Format {
  if (!('contentFormat' in input) || input.contentFormat == null) return {};
  const { contentFormat } = input;
  if (!Number.isInteger(contentFormat) || contentFormat < 0 || contentFormat > 65_535) {
    throw wrong(['contentFormat'], `${contentFormat} is no content format`);
  }
  return { contentFormat };
}
