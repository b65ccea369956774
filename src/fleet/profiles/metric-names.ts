import { parseMappingPath } from './mapping-path.ts';
import type { MetricMapping } from './profile.ts';

/**
 * One part of the pattern of a metric's name: a character, or any digit if `character` is null. If `star` is true, the
 * part may occur any number of times, or not at all.
 */
interface Part {
  readonly character: string | null;
  readonly star: boolean;
}

const DIGIT: Part = { character: null, star: false };
const DIGITS: Part = { character: null, star: true };

type Named = Pick<MetricMapping, 'path' | 'metric'>;

/**
 * True if both mappings can make a metric of one name. Underscores at the end make no difference, because they keep the
 * instances of a multiple resource apart from other metrics: `mv` can become `mv__0`, and so can `mv_`.
 */
export function canShareName(one: Named, other: Named): boolean {
  return meet(partsOf(withoutEnd(one)), partsOf(withoutEnd(other)));
}

function withoutEnd({ path, metric }: Named): Named {
  let end = metric.length;
  while (metric[end - 1] === '_') end -= 1;
  return { path, metric: metric.slice(0, end) };
}

/** True if the mapping can make a metric of this name, apart from the names of the instances of multiple resources. */
export function canHaveName(mapping: Named, name: string): boolean {
  return meet(partsOf(mapping), literal(name));
}

function partsOf({ path, metric }: Named): Part[] {
  const { instanceId } = parseMappingPath(path, ['path']);
  if (instanceId !== null) return literal(metric.replaceAll('{instance}', String(instanceId)));
  return metric
    .split('{instance}')
    .flatMap((text, index) => (index === 0 ? literal(text) : [DIGIT, DIGITS, ...literal(text)]));
}

function literal(text: string): Part[] {
  return [...text].map((character) => ({ character, star: false }));
}

/** True if both patterns match one text. */
function meet(one: readonly Part[], other: readonly Part[]): boolean {
  const seen = new Set<number>();
  const from = (i: number, j: number): boolean => {
    const state = i * (other.length + 1) + j;
    if (seen.has(state)) return false;
    seen.add(state);
    const [left, right] = [one[i], other[j]];
    if (left === undefined && right === undefined) return true;
    if (left?.star === true && from(i + 1, j)) return true;
    if (right?.star === true && from(i, j + 1)) return true;
    if (left === undefined || right === undefined || !overlap(left, right)) return false;
    return from(left.star ? i : i + 1, right.star ? j : j + 1);
  };
  return from(0, 0);
}

function overlap(left: Part, right: Part): boolean {
  if (left.character === null) return right.character === null || /^\d$/.test(right.character);
  return right.character === null ? /^\d$/.test(left.character) : left.character === right.character;
}
