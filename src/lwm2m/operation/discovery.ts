import type { Link } from '../link-format.ts';
import { Path } from '../path.ts';

/** What the answer to a Discover says about the instances and resources of the device (Core 1.2 §6.3.2). */
export interface Discovery {
  /** The object whose instances are all in `instances`; null if the answer does not list the instances of an object. */
  readonly objectId: number | null;
  readonly instances: readonly Path[];
  /** The resources that the device has. */
  readonly resources: readonly Path[];
  /** The instances whose resources are all in `resources`. */
  readonly complete: readonly Path[];
}

/** Reads the links at and below the target of a Discover. Ignores all other links. */
export function discoveryOf(target: Path, links: readonly Link[]): Discovery {
  const paths = links.flatMap(({ uri }) => pathOf(uri)).filter((path) => target.contains(path));
  const instances = distinct(paths.filter(({ instanceId }) => instanceId !== null).map((path) => path.cut(2)));
  const resources = distinct(paths.filter(({ resourceId }) => resourceId !== null).map((path) => path.cut(3)));
  const isWhole = target.level === 'object' || target.level === 'instance';
  return {
    // An answer without instances may be one of depth 0, so it does not prove that there are none.
    objectId: target.level === 'object' && instances.length > 0 ? target.objectId : null,
    instances,
    resources,
    complete: isWhole ? instances.filter((instance) => resources.some((path) => instance.contains(path))) : [],
  };
}

function pathOf(uri: string): Path[] {
  try {
    return [Path.parse(uri)];
  } catch {
    return [];
  }
}

function distinct(paths: readonly Path[]): Path[] {
  return [...new Map(paths.map((path) => [String(path), path])).values()];
}
