import { Path, type RegisteredObject } from '../../lwm2m/index.ts';
import { FleetError } from '../common/index.ts';

/** The parsed path of a mapping: `/3303/0/5700`, `/3/0/7/1`, or with `*` for every instance. */
export interface MappingPath {
  readonly objectId: number;
  /** Null stands for `*`. */
  readonly instanceId: number | null;
  /** The resource id, followed by the resource instance id if the path has one. */
  readonly below: readonly number[];
}

/** Throws FleetError VALIDATION with the text if it is not the path of a resource or a resource instance. */
export function parseMappingPath(text: string, field: readonly string[]): MappingPath {
  const any = /^\/\d+\/\*\//.test(text);
  try {
    const [objectId, instanceId, ...below] = Path.parse(any ? text.replace('*', '0') : text).ids;
    if (objectId !== undefined && instanceId !== undefined && below.length > 0) {
      return { objectId, instanceId: any ? null : instanceId, below };
    }
  } catch {
    // The text is not a path; the error below covers that and a path that is too short.
  }
  throw new FleetError(
    'VALIDATION',
    `${JSON.stringify(text.slice(0, 80))} is not the path of a resource, such as /3303/0/5700 or /3303/*/5700`,
    { field },
  );
}

/** Returns the paths that a mapping selects on a device: one for each matching instance that the device registered. */
export function pathsOf(mapping: MappingPath, objects: readonly RegisteredObject[]): Path[] {
  const instances = objects.find((object) => object.objectId === mapping.objectId)?.instanceIds ?? [];
  return instances
    .filter((instanceId) => mapping.instanceId === null || mapping.instanceId === instanceId)
    .map((instanceId) => Path.of(mapping.objectId, instanceId, ...mapping.below));
}
