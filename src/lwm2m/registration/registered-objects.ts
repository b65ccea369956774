import type { Link } from '../link-format.ts';
import { impliedObjectVersion } from '../model/core-versions.ts';
import { Path } from '../path.ts';
import { isSecretObject } from '../model/secret-objects.ts';
import type { Lwm2mVersion, RegisteredObject } from './registration.ts';

/** The content of the object list of a Register or an Update (Core 1.2 §6.2.1). */
export interface RegisteredObjects {
  /** The alternate path, which precedes every device-management path; `/` without one. */
  readonly rootPath: string;
  /** The content formats in `ct` of the root link, in its order. */
  readonly contentFormats: readonly number[];
  /** By ascending id. */
  readonly objects: readonly RegisteredObject[];
  /** Invalid links. The server ignores them and accepts the registration. */
  readonly dropped: readonly Link[];
}

export type RegisteredObjectsResult =
  | ({ readonly ok: true } & RegisteredObjects)
  | { readonly ok: false; readonly code: '4.00'; readonly message: string };

const RESOURCE_TYPE = 'oma.lwm2m';
const VERSION = /^\d{1,5}\.\d{1,5}$/;

interface Found {
  version: string | undefined;
  readonly instanceIds: Set<number>;
}

/**
 * Reads the objects, versions and instances of an object list. Drops an invalid link (the id 65535, an invalid
 * version); refuses the list only when no valid link is left. Never throws.
 */
export function registeredObjects(links: readonly Link[], lwm2mVersion: Lwm2mVersion): RegisteredObjectsResult {
  const root = links.find(isRoot);
  const rootPath = root === undefined || root.uri === '/' ? '/' : root.uri.replace(/\/$/, '');
  const objects = new Map<number, Found>();
  const dropped: Link[] = [];
  for (const link of links) {
    if (link === root || link.uri === '/') continue;
    if (!take(link, rootPath, objects)) dropped.push(link);
  }
  const [bad] = dropped;
  if (bad !== undefined && objects.size === 0) {
    return {
      ok: false,
      code: '4.00',
      message: `the list of objects has no valid link; the first invalid one is <${bad.uri.slice(0, 40)}>`,
    };
  }
  return {
    ok: true,
    rootPath,
    contentFormats: contentFormatsOf(root),
    objects: sorted(objects, lwm2mVersion),
    dropped,
  };
}

/** True for `</lwm2m>;rt="oma.lwm2m"` and `</>`. An alternate path has no numeric segment (Core 1.2 §6.4.1). */
function isRoot({ uri, attributes }: Link): boolean {
  if (uri === '/') return true;
  const marked = attributes['rt']?.split(' ').includes(RESOURCE_TYPE) === true;
  return marked && !uri.split('/').some((segment) => /^\d+$/.test(segment));
}

/** Adds the object or instance of a link. False when a device must not list it. */
function take({ uri, attributes }: Link, rootPath: string, objects: Map<number, Found>): boolean {
  // Wakaama announces an alternate path but lists its objects without it.
  const below = rootPath !== '/' && uri.startsWith(`${rootPath}/`) ? uri.slice(rootPath.length) : uri;
  const path = pathOf(below);
  if (path === undefined || hasWrongVersion(attributes)) return false;
  const version = attributes['ver'];
  const { objectId, instanceId } = path;
  if (objectId === null || path.resourceId !== null || isSecretObject(objectId)) return false;
  const found = objects.get(objectId) ?? { version: undefined, instanceIds: new Set() };
  objects.set(objectId, found);
  // Core 1.2 also shows `ver` on an instance link; it is the version of the object.
  found.version ??= version ?? undefined;
  if (instanceId !== null) found.instanceIds.add(instanceId);
  return true;
}

/** True for a link with valid syntax but without a meaning in LwM2M: the id 65535, an invalid version. */
export function isMeaningless({ uri, attributes }: Link): boolean {
  const numeric = /^\/\d+(?:\/|$)/.test(uri);
  return hasWrongVersion(attributes) || (numeric && pathOf(uri) === undefined);
}

function hasWrongVersion(attributes: Link['attributes']): boolean {
  const version = attributes['ver'];
  return version !== undefined && !VERSION.test(version ?? '');
}

/** Some devices add a slash to every path. */
function pathOf(uri: string): Path | undefined {
  try {
    return Path.parse(uri === '/' ? uri : uri.replace(/\/$/, ''));
  } catch {
    return undefined;
  }
}

/** Reads `ct=112` or `ct="110 112 60"`. */
function contentFormatsOf(root: Link | undefined): number[] {
  const numbers = root?.attributes['ct']?.split(' ').filter((text) => /^\d{1,5}$/.test(text)) ?? [];
  return [...new Set(numbers.map(Number))];
}

function sorted(objects: ReadonlyMap<number, Found>, lwm2mVersion: Lwm2mVersion): RegisteredObject[] {
  return [...objects]
    .sort(([left], [right]) => left - right)
    .map(([objectId, { version, instanceIds }]) => ({
      objectId,
      version: version ?? impliedObjectVersion(objectId, lwm2mVersion),
      instanceIds: [...instanceIds].sort((left, right) => left - right),
    }));
}
