import type { ObjectDefinition, ObjectModel, ResourceDefinition } from './definition.ts';
import { compareVersions } from './packed.ts';

/** One version of an object. `definition` loads the definition on demand. */
export interface ObjectVersion {
  readonly id: number;
  readonly version: string;
  readonly definition: () => ObjectDefinition;
}

/** An object model of the given versions; the last one wins when the same version is given twice. */
export class VersionedModel implements ObjectModel {
  /** By object id; each list is in ascending order of versions. */
  readonly #objects = new Map<number, ObjectVersion[]>();
  readonly #resources = new WeakMap<ObjectDefinition, ReadonlyMap<number, ResourceDefinition>>();

  constructor(versions: Iterable<ObjectVersion>) {
    for (const version of versions) {
      const known = this.#objects.get(version.id)?.filter((other) => other.version !== version.version) ?? [];
      this.#objects.set(version.id, [...known, version]);
    }
    for (const known of this.#objects.values())
      known.sort((left, right) => compareVersions(left.version, right.version));
  }

  object(objectId: number, version?: string): ObjectDefinition | undefined {
    const known = this.#objects.get(objectId);
    if (version === undefined) return known?.at(-1)?.definition();
    const exact = known?.find((candidate) => candidate.version === version);
    if (exact !== undefined) return exact.definition();
    // Minor versions are compatible, major ones are not (Core 1.2 §7.2.2).
    const major = version.split('.', 1)[0];
    return known?.findLast((candidate) => candidate.version.split('.', 1)[0] === major)?.definition();
  }

  resource(objectId: number, resourceId: number, version?: string): ResourceDefinition | undefined {
    const definition = this.object(objectId, version);
    if (definition === undefined) return undefined;
    let resources = this.#resources.get(definition);
    if (resources === undefined) {
      resources = new Map(definition.resources.map((resource) => [resource.id, resource]));
      this.#resources.set(definition, resources);
    }
    return resources.get(resourceId);
  }

  *definitions(): Generator<ObjectDefinition> {
    const ids = [...this.#objects.keys()].sort((left, right) => left - right);
    for (const id of ids) for (const { definition } of this.#objects.get(id) ?? []) yield definition();
  }
}

/** Creates a model of these definitions only. */
export function objectModel(definitions: Iterable<ObjectDefinition>): ObjectModel {
  return new VersionedModel(versionsOf(definitions));
}

/**
 * Adds the definitions of a tenant to a model. They take precedence when both have the version, or without a version. A
 * version that neither has is resolved among the versions of both.
 */
export function overlayModel(own: Iterable<ObjectDefinition>, base: ObjectModel): ObjectModel {
  const definitions = [...own];
  return new OverlayModel(definitions, base);
}

class OverlayModel implements ObjectModel {
  readonly #own: ObjectModel;
  readonly #base: ObjectModel;

  constructor(own: readonly ObjectDefinition[], base: ObjectModel) {
    this.#own = objectModel(own);
    this.#base = base;
  }

  object(objectId: number, version?: string): ObjectDefinition | undefined {
    return this.#modelFor(objectId, version).object(objectId, version);
  }

  resource(objectId: number, resourceId: number, version?: string): ResourceDefinition | undefined {
    return this.#modelFor(objectId, version).resource(objectId, resourceId, version);
  }

  *definitions(): Generator<ObjectDefinition> {
    const own = [...this.#own.definitions()];
    const overlaid = new Set(own.map(keyOf));
    yield* [...this.#base.definitions()]
      .filter((definition) => !overlaid.has(keyOf(definition)))
      .concat(own)
      .sort((left, right) => left.id - right.id || compareVersions(left.version, right.version));
  }

  #modelFor(objectId: number, version: string | undefined): ObjectModel {
    const own = this.#own.object(objectId, version);
    if (own === undefined) return this.#base;
    const base = this.#base.object(objectId, version);
    if (base === undefined || version === undefined || own.version === version) return this.#own;
    if (base.version === version) return this.#base;
    return compareVersions(base.version, own.version) > 0 ? this.#base : this.#own;
  }
}

function keyOf({ id, version }: ObjectDefinition): string {
  return `${id}:${version}`;
}

function* versionsOf(definitions: Iterable<ObjectDefinition>): Generator<ObjectVersion> {
  for (const definition of definitions) {
    yield { id: definition.id, version: definition.version, definition: () => definition };
  }
}
