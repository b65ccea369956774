import { Path, type RegisteredObject } from '../../lwm2m/index.ts';
import { FleetError } from '../common/index.ts';

/** Where a mapping points: `/3303/0/5700`, `/3/0/7/1`, or with a star for every instance. */
export interface MappingPath {
  readonly objectId: number;
  /** Null stands for `*`. */
  readonly instanceId: number | null;
  /** The resource id, and the resource instance id where one is named. */
  readonly below: readonly number[];
}

/** Throws FleetError VALIDATION naming the text. */
export function parseMappingPath(text: string, field: readonly string[]): MappingPath {
  const any = /^\/\d+\/\*\//.test(text);
  try {
    const [objectId, instanceId, ...below] = Path.parse(any ? text.replace('*', '0') : text).ids;
    if (objectId !== undefined && instanceId !== undefined && below.length > 0) {
      return { objectId, instanceId: any ? null : instanceId, below };
    }
  } catch {
    // Not a path at all: refused as one that is too short.
  }
  throw new FleetError(
    'VALIDATION',
    `${JSON.stringify(text.slice(0, 80))} is no path of a resource like /3303/0/5700 or /3303/*/5700`,
    { field },
  );
}

/** The paths on a device that a mapping means: of the instances that the device said it has. */
export function pathsOf(mapping: MappingPath, objects: readonly RegisteredObject[]): Path[] {
  const instances = objects.find((object) => object.objectId === mapping.objectId)?.instanceIds ?? [];
  return instances
    .filter((instanceId) => mapping.instanceId === null || mapping.instanceId === instanceId)
    .map((instanceId) => Path.of(mapping.objectId, instanceId, ...mapping.below));
}
