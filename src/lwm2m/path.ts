import { Lwm2mError } from './error.ts';

/** Ids are 0 to 65534; 65535 is reserved (Core 1.2 §7.1). */
const LARGEST_ID = 65534;

export type PathLevel = 'root' | 'object' | 'instance' | 'resource' | 'resource-instance';
const LEVELS: readonly PathLevel[] = ['root', 'object', 'instance', 'resource', 'resource-instance'];

/** The prefix of a gateway is one segment that is not a number and needs no escape (Gateway 1.1 §6.2). */
const PREFIX = /^(?![-+.\d]+$)[\w.~!$&'()*+,;=:@-]{1,64}$/;

function isId(id: number): boolean {
  return Number.isInteger(id) && id >= 0 && id <= LARGEST_ID;
}

const SLASH = 0x2f;
const ZERO = 0x30;

/** Parses `/3/0/9` into its ids; undefined when the text is not a path. Without a regular expression, for speed. */
function parseIds(text: string): number[] | undefined {
  if (text === '/') return [];
  const ids: number[] = [];
  let id = 0;
  let digits = 0;
  if (text.charCodeAt(0) !== SLASH) return undefined;
  for (let index = 1; index <= text.length; index += 1) {
    const code = index < text.length ? text.charCodeAt(index) : SLASH;
    if (code === SLASH) {
      if (digits === 0 || id > LARGEST_ID || ids.length === 4) return undefined;
      ids.push(id);
      id = 0;
      digits = 0;
    } else {
      const digit = code - ZERO;
      const leadingZero = digits > 0 && id === 0;
      if (digit < 0 || digit > 9 || leadingZero || digits === 5) return undefined;
      id = id * 10 + digit;
      digits += 1;
    }
  }
  return ids;
}

/**
 * A path in the resource tree: `/`, `/3`, `/3/0`, `/3/0/9` or `/3/0/6/1` (Core 1.2 §7.1). On an end device behind a
 * gateway it has a prefix: `/dev1/3/0/9`. Immutable.
 */
export class Path {
  static readonly root = new Path([], null);
  readonly ids: readonly number[];
  /** The name that the gateway gives to the end device; null on the device itself. */
  readonly prefix: string | null;

  private constructor(ids: readonly number[], prefix: string | null) {
    this.ids = ids;
    this.prefix = prefix;
  }

  /** Throws INVALID_PATH when an id is not an integer from 0 to 65534, or when there are more than four ids. */
  static of(...ids: readonly number[]): Path {
    for (const id of ids) {
      if (!isId(id)) {
        throw new Lwm2mError('INVALID_PATH', `id ${id} is not an integer from 0 to ${LARGEST_ID}`);
      }
    }
    if (ids.length > 4) throw new Lwm2mError('INVALID_PATH', `a path has at most four ids, not ${ids.length}`);
    return ids.length === 0 ? Path.root : new Path(ids, null);
  }

  /** Parses `/o/i/r/ri`. Throws INVALID_PATH with the text, also for a trailing slash or a leading zero. */
  static parse(text: string): Path {
    const ids = parseIds(text);
    if (ids === undefined) {
      throw new Lwm2mError('INVALID_PATH', `${JSON.stringify(text.slice(0, 80))} is not an LwM2M path such as /3/0/9`);
    }
    return ids.length === 0 ? Path.root : new Path(ids, null);
  }

  /** Parses a path that may begin with the prefix of an end device: `/dev1/3/0/9`. Throws INVALID_PATH. */
  static parsePrefixed(text: string): Path {
    const ids = parseIds(text);
    if (ids !== undefined) return new Path(ids, null);
    const end = text.indexOf('/', 1);
    const first = text.slice(1, end === -1 ? undefined : end);
    if (!text.startsWith('/') || !PREFIX.test(first)) return Path.parse(text);
    return Path.parse(end === -1 ? '/' : text.slice(end)).on(first);
  }

  /** Returns the same path on the end device `prefix` of a gateway. Throws INVALID_PATH for an invalid prefix. */
  on(prefix: string): Path {
    if (!PREFIX.test(prefix)) {
      throw new Lwm2mError(
        'INVALID_PATH',
        `${JSON.stringify(prefix.slice(0, 80))} is not a valid prefix of an end device`,
      );
    }
    return new Path(this.ids, prefix);
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

  /** Returns the path one level below; throws INVALID_PATH below a resource instance. */
  child(id: number): Path {
    if (!isId(id) || this.ids.length === 4) return Path.of(...this.ids, id);
    return new Path([...this.ids, id], this.prefix);
  }

  /** Keeps the first `length` ids: `/3/0/9` cut to 2 is `/3/0`. */
  cut(length: number): Path {
    return length >= this.ids.length ? this : new Path(this.ids.slice(0, length), this.prefix);
  }

  /** True when `other` is this path or lies below it. */
  contains(other: Path): boolean {
    return (
      this.prefix === other.prefix &&
      this.ids.length <= other.ids.length &&
      this.ids.every((id, level) => id === other.ids[level])
    );
  }

  equals(other: Path): boolean {
    return this.ids.length === other.ids.length && this.contains(other);
  }

  /** Orders by the numbers of the ids, parents first, the device itself before its end devices. */
  compare(other: Path): number {
    if (this.prefix !== other.prefix) return (this.prefix ?? '') < (other.prefix ?? '') ? -1 : 1;
    for (const [level, id] of this.ids.entries()) {
      const theirs = other.ids[level];
      if (theirs === undefined) return 1;
      if (id !== theirs) return id - theirs;
    }
    return this.ids.length - other.ids.length;
  }

  /** The segments of a Uri-Path. */
  segments(): string[] {
    const ids = this.ids.map(String);
    return this.prefix === null ? ids : [this.prefix, ...ids];
  }

  toString(): string {
    const ids = this.ids.join('/');
    if (this.prefix === null) return `/${ids}`;
    return ids === '' ? `/${this.prefix}` : `/${this.prefix}/${ids}`;
  }

  toJSON(): string {
    return this.toString();
  }
}
