import { Lwm2mError } from './error.ts';

/** 65535 is reserved (Core 1.2 §7.1); ids run from 0 to 65534. */
const LARGEST_ID = 65534;
const ID = /^(?:0|[1-9]\d{0,4})$/;

export type PathLevel = 'root' | 'object' | 'instance' | 'resource' | 'resource-instance';
const LEVELS: readonly PathLevel[] = ['root', 'object', 'instance', 'resource', 'resource-instance'];

/**
 * A place in the resource tree: `/`, `/3`, `/3/0`, `/3/0/9` or `/3/0/6/1` (Core 1.2 §7.1). Immutable.
 */
export class Path {
  static readonly root = new Path([]);
  readonly ids: readonly number[];

  private constructor(ids: readonly number[]) {
    this.ids = ids;
  }

  /** Throws INVALID_PATH for ids that are no integers of 0..65534 or more than four of them. */
  static of(...ids: readonly number[]): Path {
    for (const id of ids) {
      if (!Number.isInteger(id) || id < 0 || id > LARGEST_ID) {
        throw new Lwm2mError('INVALID_PATH', `id ${id} is not in 0..${LARGEST_ID}`);
      }
    }
    if (ids.length > 4) throw new Lwm2mError('INVALID_PATH', `a path has at most four ids, not ${ids.length}`);
    return ids.length === 0 ? Path.root : new Path(ids);
  }

  /** Parses `/o/i/r/ri`; throws INVALID_PATH naming the text. No trailing slash, no leading zero. */
  static parse(text: string): Path {
    if (text === '/') return Path.root;
    const segments = text.split('/');
    const ids = segments.slice(1).map((segment) => (ID.test(segment) ? Number(segment) : -1));
    const wrong =
      segments[0] !== '' || ids.length === 0 || ids.length > 4 || ids.some((id) => id < 0 || id > LARGEST_ID);
    if (wrong) {
      throw new Lwm2mError('INVALID_PATH', `${JSON.stringify(text.slice(0, 80))} is no LwM2M path like /3/0/9`);
    }
    return new Path(ids);
  }

  get level(): PathLevel {
    return LEVELS[this.ids.length] ?? 'root';
  }

  get objectId(): number | null {
    return this.ids[0] ?? null;
  }

  get instanceId(): number | null {
    return this.ids[1] ?? null;
  }

  get resourceId(): number | null {
    return this.ids[2] ?? null;
  }

  get resourceInstanceId(): number | null {
    return this.ids[3] ?? null;
  }

  /** One level down; throws INVALID_PATH below a resource instance. */
  child(id: number): Path {
    return Path.of(...this.ids, id);
  }

  /** The first `length` ids: `/3/0/9` cut to 2 is `/3/0`. */
  cut(length: number): Path {
    return length >= this.ids.length ? this : Path.of(...this.ids.slice(0, length));
  }

  /** True when `other` is this path or lies below it. */
  contains(other: Path): boolean {
    return this.ids.length <= other.ids.length && this.ids.every((id, level) => id === other.ids[level]);
  }

  equals(other: Path): boolean {
    return this.ids.length === other.ids.length && this.contains(other);
  }

  /** Numeric order by ids, parents first. */
  compare(other: Path): number {
    for (const [level, id] of this.ids.entries()) {
      const theirs = other.ids[level];
      if (theirs === undefined) return 1;
      if (id !== theirs) return id - theirs;
    }
    return this.ids.length - other.ids.length;
  }

  /** The segments of a Uri-Path. */
  segments(): string[] {
    return this.ids.map(String);
  }

  toString(): string {
    return `/${this.ids.join('/')}`;
  }

  toJSON(): string {
    return this.toString();
  }
}
