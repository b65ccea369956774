import { formatLinks } from '../lwm2m/index.ts';
import type { Link, NotificationAttributes, Path } from '../lwm2m/index.ts';
import type { AttachedAttributes } from './attributes.ts';
import { badRequest } from './refusal.ts';
import type { ResourceTree } from './resource-tree.ts';

export interface Discovered {
  readonly tree: ResourceTree;
  readonly attributes: AttachedAttributes;
  /** The `ver` attribute of an object; null when the version is implied. */
  readonly versionOf: (objectId: number) => string | null;
  readonly executablesOf: (objectId: number) => ReadonlySet<number>;
}

/** Answers a Discover (Core 1.2 §6.3.2): the path and `depth` levels below it. */
export function discover(path: Path, query: readonly string[], device: Discovered): string {
  const depth = depthOf(query) ?? (path.level === 'object' ? 2 : 1);
  return formatLinks(linksFrom(path, depth, device, true));
}

function depthOf(query: readonly string[]): number | null {
  const text = query.find((parameter) => parameter.startsWith('depth='))?.slice('depth='.length);
  if (text === undefined) return null;
  if (!/^[0-3]$/.test(text)) throw badRequest(`depth must be from 0 to 3, not ${text}`);
  return Number(text);
}

function linksFrom(path: Path, depth: number, device: Discovered, target: boolean): Link[] {
  const link = { uri: path.toString(), attributes: attributesOf(path, device, target) };
  if (depth === 0) return [link];
  return [link, ...childrenOf(path, device).flatMap((child) => linksFrom(child, depth - 1, device, false))];
}

function childrenOf(path: Path, { tree, executablesOf }: Discovered): Path[] {
  const { objectId, instanceId } = path;
  if (objectId === null) return tree.objectIds().map((id) => path.child(id));
  if (instanceId === null) return tree.instanceIds(objectId).map((id) => path.child(id));
  if (path.level === 'instance') {
    const ids = new Set([...tree.resourceIds(objectId, instanceId), ...executablesOf(objectId)]);
    return [...ids].sort((a, b) => a - b).map((id) => path.child(id));
  }
  return tree.resourceInstanceIds(path)?.map((id) => path.child(id)) ?? [];
}

/**
 * The attributes attached to the path; for the target also the inherited ones. Objects show `ver`, multiple resources
 * `dim`.
 */
function attributesOf(path: Path, device: Discovered, target: boolean): Record<string, string> {
  const shown: Record<string, string> = {};
  const version = path.level === 'object' ? device.versionOf(path.objectId ?? 0) : null;
  if (version !== null) shown['ver'] = version;
  const instances = path.level === 'resource' ? device.tree.resourceInstanceIds(path) : null;
  if (instances !== null) shown['dim'] = String(instances.length);
  const attached = target ? device.attributes.inForce(path) : device.attributes.at(path);
  return { ...shown, ...written(attached) };
}

function written(attributes: NotificationAttributes): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      typeof value === 'boolean' ? String(Number(value)) : String(value),
    ]),
  );
}
