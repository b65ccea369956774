import { Lwm2mError } from '../error.ts';
import type { Operation } from './operation.ts';
import { Path, type PathLevel } from '../path.ts';
import type { Lwm2mVersion } from '../registration/registration.ts';

const DEEPEST_DISCOVER = 3;
const PATH: readonly string[] = ['path'];

/**
 * Throws INVALID_ARGUMENT with the reason, and the invalid argument, when the operation is not valid for a device of this
 * LwM2M version. The only place of these rules: src/fleet/operations/plan.ts reports them with the caller's field.
 */
export function checkOperation(operation: Operation, version: Lwm2mVersion): void {
  switch (operation.kind) {
    case 'read':
      return checkTarget(operation.path, version);
    case 'read-composite':
      checkSince('1.1', version, 'Read-Composite', ['paths']);
      return checkPaths(operation.paths);
    case 'write':
      return checkWrite(operation, version);
    case 'write-composite':
      return checkWriteComposite(operation, version);
    case 'execute':
      return checkLevel(operation.path, ['resource'], 'Execute needs the path of a resource');
    case 'create':
      return checkCreate(operation);
    case 'delete':
      if (operation.path.level === 'resource-instance') {
        return checkSince('1.2', version, `deleting the resource instance ${operation.path}`);
      }
      return checkLevel(
        operation.path,
        ['instance'],
        'Delete needs the path of an object instance or a resource instance',
      );
    case 'discover':
      checkLevel(
        operation.path,
        ['object', 'instance', 'resource'],
        'Discover needs the path of an object, an object instance or a resource',
      );
      return checkDepth(operation.depth, version);
    case 'write-attributes':
      return checkTarget(operation.path, version);
    case 'observe': {
      const [only, ...more] = operation.paths;
      if (operation.attributes !== undefined) checkSince('1.2', version, 'attributes in an Observe', ['attributes']);
      if (only !== undefined && more.length === 0) return checkTarget(only, version, ['paths', '0']);
      checkSince('1.1', version, 'Observe-Composite', ['paths']);
      return checkPaths(operation.paths);
    }
    case 'cancel-observation':
      return checkPaths(operation.paths);
  }
}

function checkWrite(operation: Extract<Operation, { kind: 'write' }>, version: Lwm2mVersion): void {
  const { path, values, mode } = operation;
  checkTarget(path, version);
  checkLevel(
    path,
    ['instance', 'resource', 'resource-instance'],
    'Write needs the path of an object instance, a resource or a resource instance',
  );
  if (mode === 'update' && path.level === 'resource-instance') {
    throw invalid(`${path} is a resource instance: Write needs the mode replace`, ['mode']);
  }
  if (mode === 'update' && path.level === 'resource') {
    checkSince('1.2', version, `the partial update of the resource ${path}`);
  }
  const given = new Set<string>();
  for (const [index, { path: place }] of values.entries()) {
    if (!path.contains(place)) throw invalid(`${place} is not at or below ${path}`, ['values', String(index)]);
    checkHoldsValue(place, given, index);
  }
  if (path.level === 'resource-instance' && values.length === 0) {
    throw invalid(`the Write to ${path} has no value`, ['values']);
  }
}

function checkWriteComposite(operation: Extract<Operation, { kind: 'write-composite' }>, version: Lwm2mVersion): void {
  checkSince('1.1', version, 'Write-Composite', ['values']);
  if (operation.values.length === 0) throw invalid('the Write-Composite has no value', ['values']);
  const given = new Set<string>();
  for (const [index, { path, value }] of operation.values.entries()) {
    checkHoldsValue(path, given, index);
    if (value !== null) continue;
    const argument = ['values', String(index)];
    checkSince('1.2', version, `deleting ${path} in a Write-Composite`, argument);
    checkLevel(path, ['resource-instance'], 'null deletes only a resource instance', argument);
  }
}

function checkCreate({ objectId, instanceId, values }: Extract<Operation, { kind: 'create' }>): void {
  const instance = validPath([objectId, instanceId ?? 0]);
  const given = new Set<string>();
  for (const [index, { resource }] of values.entries()) {
    if (resource.length < 1 || resource.length > 2) {
      const ids = JSON.stringify(resource);
      throw invalid(`${ids} must be a resource id, or a resource id and a resource instance id`, [
        'values',
        String(index),
      ]);
    }
    checkHoldsValue(validPath([...instance.ids, ...resource]), given, index);
  }
}

function checkDepth(depth: number | undefined, version: Lwm2mVersion): void {
  if (depth === undefined) return;
  if (!Number.isInteger(depth) || depth < 0 || depth > DEEPEST_DISCOVER) {
    throw invalid(`the depth ${depth} is not an integer from 0 to ${DEEPEST_DISCOVER}`, ['depth']);
  }
  checkSince('1.2', version, 'the depth of a Discover', ['depth']);
}

/** The path must not be the root. Resource instances are allowed since 1.1. */
function checkTarget(path: Path, version: Lwm2mVersion, argument = PATH): void {
  if (path.level === 'root') throw invalid(`${path} is not the path of an object, an instance or a resource`, argument);
  if (path.level === 'resource-instance') checkSince('1.1', version, `the resource instance ${path}`, argument);
}

function checkLevel(path: Path, levels: readonly PathLevel[], message: string, argument = PATH): void {
  if (!levels.includes(path.level)) throw invalid(`${path}: ${message}`, argument);
}

function checkPaths(paths: readonly Path[]): void {
  if (paths.length === 0) throw invalid('the operation has no path', ['paths']);
  const given = new Set<string>();
  for (const [index, path] of paths.entries()) checkOnce(path, given, ['paths', String(index)]);
}

function checkHoldsValue(path: Path, given: Set<string>, index: number): void {
  const argument = ['values', String(index)];
  if (path.resourceId === null) throw invalid(`${path} can't have a value: it is not the path of a resource`, argument);
  checkOnce(path, given, argument);
}

function checkOnce(path: Path, given: Set<string>, argument: readonly string[]): void {
  if (given.has(String(path))) throw invalid(`${path} appears twice`, argument);
  given.add(String(path));
}

/** Compares versions as text: all have one digit before and after the point. */
function checkSince(since: Lwm2mVersion, version: Lwm2mVersion, what: string, argument = PATH): void {
  if (version < since) throw invalid(`${what} requires LwM2M ${since}; the device uses ${version}`, argument);
}

function validPath(ids: readonly number[]): Path {
  try {
    return Path.of(...ids);
  } catch (cause) {
    throw new Lwm2mError('INVALID_ARGUMENT', cause instanceof Error ? cause.message : 'invalid path', { cause });
  }
}

function invalid(message: string, argument: readonly string[]): Lwm2mError {
  return new Lwm2mError('INVALID_ARGUMENT', message, { argument });
}
