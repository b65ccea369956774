import { Lwm2mError } from '../error.ts';
import type { Operation } from './operation.ts';
import { Path, type PathLevel } from '../path.ts';
import type { Lwm2mVersion } from '../registration/registration.ts';

const DEEPEST_DISCOVER = 3;

/** Throws INVALID_ARGUMENT, naming what is wrong, for what can't be asked of a device of that version. */
export function checkOperation(operation: Operation, version: Lwm2mVersion): void {
  switch (operation.kind) {
    case 'read':
      return checkTarget(operation.path, version);
    case 'read-composite':
      checkComposite('Read-Composite', version);
      return checkPaths(operation.paths);
    case 'write':
      return checkWrite(operation, version);
    case 'write-composite':
      return checkWriteComposite(operation, version);
    case 'execute':
      return checkLevel(operation.path, ['resource'], 'only a resource can be executed');
    case 'create':
      return checkCreate(operation);
    case 'delete':
      if (operation.path.level === 'resource-instance') {
        return checkSince('1.2', version, `to delete the resource instance ${operation.path}`);
      }
      return checkLevel(operation.path, ['instance'], 'only object instances and resource instances can be deleted');
    case 'discover':
      checkLevel(
        operation.path,
        ['object', 'instance', 'resource'],
        'resource instances and the root can’t be discovered',
      );
      return checkDepth(operation.depth, version);
    case 'write-attributes':
      return checkTarget(operation.path, version);
    case 'observe': {
      const [only, ...more] = operation.paths;
      if (operation.attributes !== undefined) checkSince('1.2', version, 'attributes in an Observe');
      if (only !== undefined && more.length === 0) return checkTarget(only, version);
      checkComposite('Observe-Composite', version);
      return checkPaths(operation.paths);
    }
    case 'cancel-observation':
      return checkPaths(operation.paths);
  }
}

function checkWrite(operation: Extract<Operation, { kind: 'write' }>, version: Lwm2mVersion): void {
  const { path, values, mode } = operation;
  checkTarget(path, version);
  checkLevel(path, ['instance', 'resource', 'resource-instance'], 'only instances and resources can be written');
  if (mode === 'update' && path.level === 'resource-instance') {
    throw invalid(`${path} is a resource instance: it can only be replaced`);
  }
  if (mode === 'update' && path.level === 'resource') {
    checkSince('1.2', version, `the partial update of the resource ${path}`);
  }
  const given = new Set<string>();
  for (const { path: place } of values) {
    if (!path.contains(place)) throw invalid(`${place} is not in ${path}`);
    checkHoldsValue(place, given);
  }
  if (path.level === 'resource-instance' && values.length === 0) throw invalid(`no value for ${path}`);
}

function checkWriteComposite(operation: Extract<Operation, { kind: 'write-composite' }>, version: Lwm2mVersion): void {
  checkComposite('Write-Composite', version);
  if (operation.values.length === 0) throw invalid('no value to write');
  const given = new Set<string>();
  for (const { path, value } of operation.values) {
    checkHoldsValue(path, given);
    if (value !== null) continue;
    checkSince('1.2', version, `to delete ${path} in a Write-Composite`);
    checkLevel(path, ['resource-instance'], 'only a resource instance can be deleted by null');
  }
}

function checkCreate({ objectId, instanceId, values }: Extract<Operation, { kind: 'create' }>): void {
  const instance = validPath([objectId, instanceId ?? 0]);
  const given = new Set<string>();
  for (const { resource } of values) {
    if (resource.length < 1 || resource.length > 2) {
      throw invalid(`${JSON.stringify(resource)} is no resource id, nor one with a resource instance id`);
    }
    checkHoldsValue(validPath([...instance.ids, ...resource]), given);
  }
}

function checkDepth(depth: number | undefined, version: Lwm2mVersion): void {
  if (depth === undefined) return;
  if (!Number.isInteger(depth) || depth < 0 || depth > DEEPEST_DISCOVER) {
    throw invalid(`the depth ${depth} is not in 0..${DEEPEST_DISCOVER}`);
  }
  checkSince('1.2', version, 'the depth of a Discover');
}

/** An object or something in it. Resource instances can be asked for from 1.1 on. */
function checkTarget(path: Path, version: Lwm2mVersion): void {
  if (path.level === 'root') throw invalid(`${path} is no object, instance or resource`);
  if (path.level === 'resource-instance') checkSince('1.1', version, `the resource instance ${path}`);
}

function checkLevel(path: Path, levels: readonly PathLevel[], message: string): void {
  if (!levels.includes(path.level)) throw invalid(`${path}: ${message}`);
}

function checkPaths(paths: readonly Path[]): void {
  if (paths.length === 0) throw invalid('no path is named');
  const given = new Set<string>();
  for (const path of paths) checkOnce(path, given);
}

function checkHoldsValue(path: Path, given: Set<string>): void {
  if (path.resourceId === null) throw invalid(`${path} holds no value itself: only resources do`);
  checkOnce(path, given);
}

function checkOnce(path: Path, given: Set<string>): void {
  if (given.has(String(path))) throw invalid(`${path} is named twice`);
  given.add(String(path));
}

function checkComposite(name: string, version: Lwm2mVersion): void {
  checkSince('1.1', version, name);
}

/** Versions compare as text: there are three, of one digit each. */
function checkSince(since: Lwm2mVersion, version: Lwm2mVersion, what: string): void {
  if (version < since) throw invalid(`${what} came with LwM2M ${since}, and the device speaks ${version}`);
}

function validPath(ids: readonly number[]): Path {
  try {
    return Path.of(...ids);
  } catch (cause) {
    throw new Lwm2mError('INVALID_ARGUMENT', cause instanceof Error ? cause.message : 'no path', { cause });
  }
}

function invalid(message: string): Lwm2mError {
  return new Lwm2mError('INVALID_ARGUMENT', message);
}
