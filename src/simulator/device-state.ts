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

/** What all servers see of the device. */
export interface DeviceContents {
  readonly lwm2m: Lwm2mVersion;
  readonly model: ObjectModel;
  readonly objects: ReadonlyMap<number, DeviceObject>;
  readonly tree: ResourceTree;
  /** Seconds since the Unix epoch. */
  readonly now: () => number;
}

/** What the operations of one server work on. */
export interface DeviceState extends DeviceContents {
  /** Those that this server attached. */
  readonly attributes: AttachedAttributes;
}

/** The definition of the resource at or above the path; undefined for what the object does not define. */
export function definitionAt({ model, objects }: DeviceContents, path: Path): ResourceDefinition | undefined {
  const { objectId, resourceId } = path;
  if (objectId === null || resourceId === null) return undefined;
  return model.resource(objectId, resourceId, objects.get(objectId)?.definition.version);
}

/** Refuses places of hidden objects and of objects and instances that are not there. */
export function checkInstance({ tree }: DeviceContents, path: Path): void {
  if (path.objectId !== null && isSecretObject(path.objectId)) throw unauthorized(`${path} is not for servers`);
  if (!tree.has(path.cut(1))) throw notFound(`no object ${path.cut(1)}`);
  if (!tree.has(path.cut(2))) throw notFound(`no instance ${path.cut(2)}`);
}

export function isExecutable({ objects }: DeviceContents, path: Path): boolean {
  return objects.get(path.objectId ?? -1)?.executables.has(path.resourceId ?? -1) ?? false;
}

/** Refuses places that are not there; an executable resource is there without a value. */
export function checkPlace(state: DeviceContents, path: Path): void {
  checkInstance(state, path);
  if (!state.tree.has(path) && !(path.level === 'resource' && isExecutable(state, path)))
    throw notFound(`nothing at ${path}`);
}

export function checkOperation(state: DeviceContents, path: Path, operation: 'R' | 'W'): void {
  const operations = definitionAt(state, path)?.operations ?? '';
  if (!operations.includes(operation)) throw notAllowed(`${path} can't be ${operation === 'R' ? 'read' : 'written'}`);
}
