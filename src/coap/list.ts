/**
 * One empty array that all idle peers share, so that each of them needs no arrays of its own. Nothing may write to it:
 * change a list with `append` and `without` only.
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
