import { Path } from '../../src/lwm2m/index.ts';
import type { ResourceState, TreeSelector } from '../../src/fleet/index.ts';

/** `/3303/0/5700`, `/3303/0`, `/3303`, `/`, each id also `*`. Throws Lwm2mError INVALID_PATH naming the text. */
export function parseSelector(text: string): TreeSelector {
  // The text is valid if it is a path after each `*` is replaced by 0.
  const { ids } = Path.parse(text.replace(/\/\*(?=\/|$)/g, '/0'));
  const segments = text.split('/').slice(1);
  return { ids: ids.map((id, level) => (segments[level] === '*' ? null : id)) };
}

export function hasWildcard(path: string): boolean {
  return path.includes('*');
}

/**
 * Whether the state is at or below the selected path. A selector of four ids selects a resource instance, which is part
 * of the state of its resource.
 */
export function selects(selector: TreeSelector, state: ResourceState): boolean {
  const place = [state.objectId, state.instanceId, state.resourceId];
  return selector.ids.slice(0, 3).every((id, level) => id === null || id === place[level]);
}

/**
 * The selected part of the state: the whole state, or one resource instance if the selector has a fourth id. Null if
 * there is no such instance.
 */
export function narrow(selector: TreeSelector, state: ResourceState): ResourceState | null {
  const resourceInstanceId = selector.ids[3];
  if (resourceInstanceId === undefined || resourceInstanceId === null) return state;
  const { value } = state;
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, resourceInstanceId)) return null;
  return { ...state, path: `${state.path}/${resourceInstanceId}`, value: value[resourceInstanceId] ?? null };
}
