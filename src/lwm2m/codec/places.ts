import type { Path } from '../path.ts';
import { malformed } from './item.ts';

const ID_RANGE = 65536;

/** The paths of a payload. Each may have one value, or several with different times (Core 1.2 §7.4.4). */
export class Places {
  readonly #seen = new Set<string | number>();

  /** Throws INVALID_PAYLOAD when the path was added before with the same time. */
  add(path: Path, time: number | null, offset: number): void {
    const key = keyOf(path, time);
    if (this.#seen.has(key)) throw malformed(`${path} appears twice`, offset);
    this.#seen.add(key);
  }
}

/** Packs three ids into a number, which takes a third of the memory of a text. */
function keyOf({ ids, prefix }: Path, time: number | null): string | number {
  const [objectId, instanceId, resourceId, resourceInstanceId] = ids;
  if (prefix !== null || time !== null || resourceInstanceId !== undefined || resourceId === undefined) {
    return `${prefix}/${ids.join('/')}@${time}`;
  }
  return ((objectId ?? 0) * ID_RANGE + (instanceId ?? 0)) * ID_RANGE + resourceId;
}
