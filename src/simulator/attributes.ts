import { formatAttributes } from '../lwm2m/index.ts';
import type { Lwm2mVersion, NotificationAttributes, Path, ResourceType } from '../lwm2m/index.ts';

/** The attributes that a server attached to paths by Write-Attributes (Core 1.2 §6.3.4). */
export class AttachedAttributes {
  readonly #lwm2m: Lwm2mVersion;
  readonly #byPath = new Map<string, NotificationAttributes>();

  constructor(lwm2m: Lwm2mVersion) {
    this.#lwm2m = lwm2m;
  }

  /**
   * Adds attributes to a path; null removes one. Throws INVALID_ARGUMENT for attributes that the LwM2M version, the
   * level or the resource type does not allow, and for forbidden combinations (Core 1.2 §7.3.2).
   */
  write(path: Path, attributes: NotificationAttributes, type: ResourceType | null | undefined): void {
    formatAttributes(attributes, { paths: [path], lwm2mVersion: this.#lwm2m, type });
    const merged = Object.entries({ ...this.at(path), ...attributes }).filter(([, value]) => value !== null);
    const kept: NotificationAttributes = Object.fromEntries(merged);
    formatAttributes(kept, { paths: [path], lwm2mVersion: this.#lwm2m });
    if (merged.length === 0) this.#byPath.delete(path.toString());
    else this.#byPath.set(path.toString(), kept);
  }

  /** The attributes attached to exactly this path. */
  at(path: Path): NotificationAttributes {
    return this.#byPath.get(path.toString()) ?? {};
  }

  /** The effective attributes of the path: the lower level overrides the higher (Core 1.2 §7.3.2). */
  inForce(path: Path): NotificationAttributes {
    const levels = path.ids.map((_, index) => this.at(path.cut(index + 1)));
    return Object.assign({}, ...levels);
  }

  /** Removes the attributes at and below a removed path; all of them for `/`. */
  forget(path: Path): void {
    const below = path.level === 'root' ? '/' : `${path}/`;
    for (const key of this.#byPath.keys()) {
      if (key === path.toString() || key.startsWith(below)) this.#byPath.delete(key);
    }
  }
}
