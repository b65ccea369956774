/**
 * The empty list of all peers: most peers are idle, and one shared array saves each of them several. It must not be
 * written to, so a list is extended and shortened by `append` and `without` only.
 */
export const NONE: never[] = [];

export function append<T>(list: T[], item: T): T[] {
  if (list === NONE) return [item];
  list.push(item);
  return list;
}

export function without<T>(list: T[], item: T): T[] {
  const index = list.indexOf(item);
  if (index < 0) return list;
  if (list.length === 1) return NONE;
  list.splice(index, 1);
  return list;
}
