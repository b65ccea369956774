import type { PathValue, TypedValue } from '../../lwm2m/index.ts';
import { definitionAt, type DefinitionSource } from '../objects/index.ts';
import { lengthRange, numberRange, type Span } from './range.ts';

/**
 * Finds why the definition of the resource rules a Write out: it is not writable, or the value is outside of its range.
 * Null when nothing does, or when the resource has no definition.
 */
export function writeProblem(written: PathValue, source: DefinitionSource): string | null {
  const definition = definitionAt(written.path, source);
  if (!definition) return null;
  if (!definition.operations.includes('W')) {
    return `${written.path} (${definition.name}) is not writable: leave it out, or set force`;
  }
  const problem = rangeProblem(written, source);
  return problem && `${problem}: change it, or set force`;
}

/** Says that the value is outside of the range in the definition of its resource; null when it isn't, as far as known. */
export function rangeProblem({ path, value }: PathValue, source: DefinitionSource): string | null {
  const definition = definitionAt(path, source);
  const measured = definition && measure(value, definition.range);
  if (!measured) return null;
  const { size, spans, what } = measured;
  if (spans.some(({ low, high }) => size >= low && size <= high)) return null;
  const range = definition.range.replace(/\s+/g, ' ');
  return `${what} is not in ${range}, the range of ${path} (${definition.name})`;
}

/** The number, or the length of a text or of bytes, that the range limits; null when it can't be compared. */
function measure(
  value: TypedValue,
  range: string,
): { size: number | bigint; spans: readonly Span[]; what: string } | null {
  if (typeof value.value === 'number' || typeof value.value === 'bigint') {
    const spans = numberRange(range);
    return spans && { size: value.value, spans, what: String(value.value) };
  }
  if (value.type !== 'String' && value.type !== 'Opaque') return null;
  const limits = lengthRange(range);
  if (limits === null) return null;
  const inBytes = limits.inBytes || value.type === 'Opaque';
  const size = inBytes ? Buffer.from(value.value).length : [...value.value].length;
  return { size, spans: limits.spans, what: `the length of ${size} ${inBytes ? 'bytes' : 'characters'}` };
}
