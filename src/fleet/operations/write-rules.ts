import type { PathValue } from '../../lwm2m/index.ts';
import { definitionAt, type DefinitionSource } from '../objects/index.ts';

const NUMBER = '-?\\d{1,20}(?:\\.\\d{1,20})?';
/** `0..100`, `0-100`, `1 to 5`. A range in other words, or with a unit such as `bytes`, is not checked. */
const RANGE = new RegExp(`^\\s*(${NUMBER})\\s*(?:\\.\\.|-|to)\\s*(${NUMBER})\\s*$`);

/**
 * Finds why the definition of the resource rules a Write out: it is not writable, or the value is outside of its range.
 * Null when nothing does, or when the resource has no definition.
 */
export function writeProblem({ path, value }: PathValue, source: DefinitionSource): string | null {
  const definition = definitionAt(path, source);
  if (!definition) return null;
  if (!definition.operations.includes('W')) {
    return `${path} (${definition.name}) is not writable: leave it out, or set force`;
  }
  const [, low, high] = RANGE.exec(definition.range) ?? [];
  if (low === undefined || high === undefined) return null;
  if (typeof value.value !== 'number' && typeof value.value !== 'bigint') return null;
  if (value.value >= Number(low) && value.value <= Number(high)) return null;
  return `${value.value} is not in ${definition.range}, the range of ${path} (${definition.name}): change it, or set force`;
}
