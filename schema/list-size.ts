import type { DeviceSizes } from '../src/fleet/index.ts';
import { pageSize } from './page.ts';
import { hasWildcard } from './tree/tree-selection.ts';

/** Bounds of the tenant's lists. */
export type ListSizes = DeviceSizes;

/** A list whose size the tenant's data tell: the extension `items` of its field. */
export type SizedList = 'devices' | 'objects' | 'instances of an object' | 'resources' | 'resources of an instance';

/**
 * The number of items by which the cost below a list is multiplied. For the tree, the product of the numbers from
 * `objects` down to a level is the most that any one device has on that level; a single number may be a fraction.
 */
export function itemsOf(list: SizedList, args: Readonly<Record<string, unknown>>, sizes: ListSizes): number {
  const { devices, objects, instances, resources } = sizes;
  switch (list) {
    case 'devices':
      return Math.min(pageSize(args), devices);
    case 'objects':
      return objects;
    case 'instances of an object':
      return objects > 0 ? instances / objects : 0;
    case 'resources of an instance':
      return instances > 0 ? resources / instances : 0;
    case 'resources':
      return Math.min(selected(args['paths']), resources);
  }
}

/** The most resources that the paths select. */
function selected(paths: unknown): number {
  if (!Array.isArray(paths)) return Number.POSITIVE_INFINITY;
  const single = paths.every((path) => String(path).split('/').length > 3 && !hasWildcard(String(path)));
  return single ? paths.length : Number.POSITIVE_INFINITY;
}
