import {
  isSecretObject,
  type Lwm2mVersion,
  type ObjectModel,
  type Path,
  type ResourceDefinition,
} from '../lwm2m/index.ts';
import type { AttachedAttributes } from './attributes.ts';
import type { DeviceObject } from './objects.ts';
import { notAllowed, notFound, unauthorized } from './refusal.ts';
import type { ResourceTree } from './resource-tree.ts';

/** The parts of the device that all servers share. */
export interface DeviceContents {
  readonly lwm2m: Lwm2mVersion;
  readonly model: ObjectModel;
  readonly objects: ReadonlyMap<number, DeviceObject>;
  readonly tree: ResourceTree;
  /** Seconds since the Unix epoch. */
  readonly now: () => number;
}

/** The state that the operations of one server use. */
export interface DeviceState extends DeviceContents {
  /** The attributes that this server attached. */
  readonly attributes: AttachedAttributes;
}

/** Returns the definition of the path's resource; undefined when the object does not define it. */
export function definitionAt({ model, objects }: DeviceContents, path: Path): ResourceDefinition | undefined {
  const { objectId, resourceId } = path;
  if (objectId === null || resourceId === null) return undefined;
  return model.resource(objectId, resourceId, objects.get(objectId)?.definition.version);
}

/** Refuses paths in hidden objects (4.01) and in missing objects and instances (4.04). */
export function checkInstance({ tree }: DeviceContents, path: Path): void {
  if (path.objectId !== null && isSecretObject(path.objectId)) throw unauthorized(`servers have no access to ${path}`);
  if (!tree.has(path.cut(1))) throw notFound(`object ${path.cut(1)} does not exist`);
  if (!tree.has(path.cut(2))) throw notFound(`instance ${path.cut(2)} does not exist`);
}

export function isExecutable({ objects }: DeviceContents, path: Path): boolean {
  return objects.get(path.objectId ?? -1)?.executables.has(path.resourceId ?? -1) ?? false;
}

/** Refuses paths that don't exist; an executable resource exists without a value. */
export function checkPlace(state: DeviceContents, path: Path): void {
  checkInstance(state, path);
  if (!state.tree.has(path) && !(path.level === 'resource' && isExecutable(state, path)))
    throw notFound(`${path} does not exist`);
}

export function checkOperation(state: DeviceContents, path: Path, operation: 'R' | 'W'): void {
  const operations = definitionAt(state, path)?.operations ?? '';
  if (!operations.includes(operation)) throw notAllowed(`${path} can't be ${operation === 'R' ? 'read' : 'written'}`);
}
