import { Path } from '../lwm2m/index.ts';
import type { TypedValue } from '../lwm2m/index.ts';

/** A value, one that is made when it is read (the time of day), or the instances of a multiple resource. */
export type Resource = TypedValue | (() => TypedValue) | Map<number, TypedValue>;

/** What is put into an instance: by resource id. */
export type Resources = Readonly<Record<number, Resource>>;

export interface PlacedValue {
  readonly path: Path;
  readonly value: TypedValue;
}

/**
 * What the device is: objects, their instances, their resources and values. Knows no permissions and no formats; tells
 * its one listener of every value that became another and every place that came or went.
 */
export class ResourceTree {
  readonly #objects = new Map<number, Map<number, Map<number, Resource>>>();
  #changed: (path: Path) => void = () => {};

  /** `changed` hears of the resource or resource instance that has another value, or of what came or went. */
  listen(changed: (path: Path) => void): void {
    this.#changed = changed;
  }

  /** Makes the object known, also without an instance. */
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

  /** The instances of a multiple resource; null for what is single or absent. */
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

  /** The value of a resource or of a resource instance; undefined for what has none of its own. */
  value(path: Path): TypedValue | undefined {
    const held = this.#resource(path);
    if (held instanceof Map) return path.resourceInstanceId === null ? undefined : held.get(path.resourceInstanceId);
    if (path.resourceInstanceId !== null) return undefined;
    return typeof held === 'function' ? held() : held;
  }

  /** Every value at or below the path, in ascending order. */
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

  /** Puts a value at a resource or resource instance of an instance that exists; says so only when it is another. */
  set(path: Path, value: TypedValue): void {
    const { resourceId, resourceInstanceId } = path;
    const instance = this.#instance(path);
    if (instance === undefined || resourceId === null) return;
    const before = this.value(path);
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

  /** Puts a whole resource in place, a multiple one with exactly these instances. */
  setResource(path: Path, resource: Resource): void {
    if (path.resourceId === null) return;
    this.#instance(path)?.set(path.resourceId, resource);
    this.#changed(path);
  }

  /** Removes an instance, a resource or a resource instance; false when it was not there. */
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
