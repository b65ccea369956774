import { formatAttributes } from '../lwm2m/index.ts';
import type { Lwm2mVersion, NotificationAttributes, Path, ResourceType } from '../lwm2m/index.ts';

/** What the server attached to places by Write-Attributes (Core 1.2 §6.3.4). */
export class AttachedAttributes {
  readonly #lwm2m: Lwm2mVersion;
  readonly #byPath = new Map<string, NotificationAttributes>();

  constructor(lwm2m: Lwm2mVersion) {
    this.#lwm2m = lwm2m;
  }

  /**
   * Adds to what is attached there; a null unsets. Throws INVALID_ARGUMENT for what the version, the level or the type
   * of the place does not have, and for combinations that are not allowed (Core 1.2 §7.3.2).
   */
  write(path: Path, attributes: NotificationAttributes, type: ResourceType | null | undefined): void {
    formatAttributes(attributes, { paths: [path], lwm2mVersion: this.#lwm2m, type });
    const merged = Object.entries({ ...this.at(path), ...attributes }).filter(([, value]) => value !== null);
    const kept: NotificationAttributes = Object.fromEntries(merged);
    formatAttributes(kept, { paths: [path], lwm2mVersion: this.#lwm2m });
    if (merged.length === 0) this.#byPath.delete(path.toString());
    else this.#byPath.set(path.toString(), kept);
  }

  /** Attached at this very place. */
  at(path: Path): NotificationAttributes {
    return this.#byPath.get(path.toString()) ?? {};
  }

  /** In force at the place: the lower level beats the higher (Core 1.2 §7.3.2). */
  inForce(path: Path): NotificationAttributes {
    const levels = path.ids.map((_, index) => this.at(path.cut(index + 1)));
    return Object.assign({}, ...levels);
  }

  /** Forgets what lies at or below a place that is gone; everything for `/`. */
  forget(path: Path): void {
    const below = path.level === 'root' ? '/' : `${path}/`;
    for (const key of this.#byPath.keys()) {
      if (key === path.toString() || key.startsWith(below)) this.#byPath.delete(key);
    }
  }
}
