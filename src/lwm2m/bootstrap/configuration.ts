import type { PathValue } from '../operation/operation.ts';
import { Path } from '../path.ts';

/** The configuration that a bootstrap writes to a device. */
export interface BootstrapConfiguration {
  /** Paths to delete before the writes. Deleting `/0` keeps the bootstrap account (Core 1.2 §6.1.7.5). */
  readonly deletes: readonly Path[];
  /**
   * All resources of the instances to write. Instances of `/0` get other ids if they conflict with the bootstrap
   * account.
   */
  readonly values: readonly PathValue[];
  /** Paths to read after the writes: `/1`, `/1/0`, `/2`, `/2/0` (Bootstrap-Read, 1.1). */
  readonly reads: readonly Path[];
}

/** One instance to write, with its resources. */
export interface BootstrapInstance {
  readonly path: Path;
  readonly values: readonly PathValue[];
}

const SECURITY = 0;
const OSCORE = 21;
const SERVER = 1;
/** The objects to write first: credentials before the accounts that use them. */
const FIRST: readonly number[] = [SECURITY, OSCORE, SERVER];

/**
 * Groups the values by instance, in the order of the writes. `taken` are the ids of Security instances that stay on the
 * device (its bootstrap account); Security instances of the configuration with these ids move to free ids.
 */
export function instancesToWrite(
  values: readonly PathValue[],
  taken: ReadonlySet<number>,
): readonly BootstrapInstance[] {
  const instances = new Map<string, { path: Path; values: PathValue[] }>();
  const renumbered = new Map<number, number>();
  for (const { path, value } of values) {
    const moved = path.objectId === SECURITY ? moveSecurity(path, taken, renumbered) : path;
    const instance = moved.cut(2);
    const known = instances.get(instance.toString());
    if (known) known.values.push({ path: moved, value });
    else instances.set(instance.toString(), { path: instance, values: [{ path: moved, value }] });
  }
  return [...instances.values()].sort(
    (one, other) => rank(one.path) - rank(other.path) || one.path.compare(other.path),
  );
}

function rank({ objectId }: Path): number {
  const place = FIRST.indexOf(objectId ?? -1);
  return place < 0 ? FIRST.length : place;
}

function moveSecurity(path: Path, taken: ReadonlySet<number>, renumbered: Map<number, number>): Path {
  const [, instanceId = 0, ...below] = path.ids;
  let free = renumbered.get(instanceId);
  if (free === undefined) {
    const used = new Set([...taken, ...renumbered.values()]);
    free = used.has(instanceId) ? 0 : instanceId;
    while (used.has(free)) free++;
    renumbered.set(instanceId, free);
  }
  return Path.of(SECURITY, free, ...below);
}
