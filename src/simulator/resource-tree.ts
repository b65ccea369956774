import { Path } from '../lwm2m/index.ts';
import type { TypedValue } from '../lwm2m/index.ts';

/** A value, a function that computes it at each read (the current time), or the instances of a multiple resource. */
export type Resource = TypedValue | (() => TypedValue) | Map<number, TypedValue>;

/** The resources of an instance, by id. */
export type Resources = Readonly<Record<number, Resource>>;

export interface PlacedValue {
  readonly path: Path;
  readonly value: TypedValue;
}

/**
 * The objects of the device with their instances, resources and values. It checks no permissions and knows no formats.
 * It calls its listener for every changed value and every added or removed path.
 */
export class ResourceTree {
  readonly #objects = new Map<number, Map<number, Map<number, Resource>>>();
  #changed: (path: Path) => void = () => {};

  /** Sets the listener: it is called with the path of the changed resource or of the added or removed path. */
  listen(changed: (path: Path) => void): void {
    this.#changed = changed;
  }

  /** Adds an object without instances. */
  addObject(objectId: number): void {
    if (!this.#objects.has(objectId)) this.#objects.set(objectId, new Map());
  }

  addInstance(objectId: number, instanceId: number, resources: Resources): void {
    this.addObject(objectId);
    const held = new Map(Object.entries(resources).map(([id, resource]) => [Number(id), resource]));
    this.#objects.get(objectId)?.set(instanceId, held);
    this.#changed(Path.of(objectId, instanceId));
  }

  objectIds(): number[] {
    return ascending(this.#objects.keys());
  }

  instanceIds(objectId: number): number[] {
    return ascending(this.#objects.get(objectId)?.keys() ?? []);
  }

  resourceIds(objectId: number, instanceId: number): number[] {
    return ascending(this.#objects.get(objectId)?.get(instanceId)?.keys() ?? []);
  }

  /** The instance ids of a multiple resource; null for a single or missing resource. */
  resourceInstanceIds(resource: Path): number[] | null {
    const held = this.#resource(resource);
    return held instanceof Map ? ascending(held.keys()) : null;
  }

  has(path: Path): boolean {
    const { objectId, instanceId, resourceId, resourceInstanceId } = path;
    if (objectId === null) return true;
    if (instanceId === null) return this.#objects.has(objectId);
    if (resourceId === null) return this.#objects.get(objectId)?.has(instanceId) ?? false;
    const held = this.#resource(path);
    if (resourceInstanceId === null) return held !== undefined;
    return held instanceof Map && held.has(resourceInstanceId);
  }

  /** The value of a resource or resource instance; undefined for a path without a value. */
  value(path: Path): TypedValue | undefined {
    const held = this.#resource(path);
    if (held instanceof Map) return path.resourceInstanceId === null ? undefined : held.get(path.resourceInstanceId);
    if (path.resourceInstanceId !== null) return undefined;
    return typeof held === 'function' ? held() : held;
  }

  /** The values at and below the path, in ascending order. */
  values(path: Path): PlacedValue[] {
    const level = path.level;
    if (level === 'root') return this.objectIds().flatMap((id) => this.values(path.child(id)));
    if (level === 'object') return this.instanceIds(path.objectId ?? 0).flatMap((id) => this.values(path.child(id)));
    if (level === 'instance') {
      const ids = this.resourceIds(path.objectId ?? 0, path.instanceId ?? 0);
      return ids.flatMap((id) => this.values(path.child(id)));
    }
    const instances = level === 'resource' ? this.resourceInstanceIds(path) : null;
    if (instances !== null) return instances.flatMap((id) => this.values(path.child(id)));
    const value = this.value(path);
    return value === undefined ? [] : [{ path, value }];
  }

  /** True for a resource whose value is computed at each read. */
  isComputed(path: Path): boolean {
    return typeof this.#resource(path) === 'function';
  }

  /**
   * Sets the value of a resource or resource instance in an existing instance; reports it only if it changed or was
   * computed before.
   */
  set(path: Path, value: TypedValue): void {
    const { resourceId, resourceInstanceId } = path;
    const instance = this.#instance(path);
    if (instance === undefined || resourceId === null) return;
    const before = this.isComputed(path) ? undefined : this.value(path);
    if (resourceInstanceId === null) {
      instance.set(resourceId, value);
    } else {
      const held = instance.get(resourceId);
      const instances = held instanceof Map ? held : new Map<number, TypedValue>();
      instances.set(resourceInstanceId, value);
      instance.set(resourceId, instances);
    }
    if (before === undefined || !sameValue(before, value)) this.#changed(path);
  }

  /** Replaces a whole resource, including all instances of a multiple resource. */
  setResource(path: Path, resource: Resource): void {
    if (path.resourceId === null) return;
    this.#instance(path)?.set(path.resourceId, resource);
    this.#changed(path);
  }

  /** Removes an instance, a resource or a resource instance. Returns false when it does not exist. */
  remove(path: Path): boolean {
    const { objectId, instanceId, resourceId, resourceInstanceId } = path;
    if (objectId === null || instanceId === null) return false;
    let removed: boolean;
    if (resourceId === null) {
      removed = this.#objects.get(objectId)?.delete(instanceId) ?? false;
    } else if (resourceInstanceId === null) {
      removed = this.#instance(path)?.delete(resourceId) ?? false;
    } else {
      const held = this.#resource(path);
      removed = held instanceof Map && held.delete(resourceInstanceId);
    }
    if (removed) this.#changed(path);
    return removed;
  }

  #instance(path: Path): Map<number, Resource> | undefined {
    return this.#objects.get(path.objectId ?? -1)?.get(path.instanceId ?? -1);
  }

  #resource(path: Path): Resource | undefined {
    return this.#instance(path)?.get(path.resourceId ?? -1);
  }
}

function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}

function sameValue(one: TypedValue, other: TypedValue): boolean {
  if (one.type === 'Opaque' && other.type === 'Opaque') return Buffer.compare(one.value, other.value) === 0;
  if (one.type === 'Objlnk' && other.type === 'Objlnk') {
    return one.value.objectId === other.value.objectId && one.value.instanceId === other.value.instanceId;
  }
  return one.type === other.type && one.value === other.value;
}
