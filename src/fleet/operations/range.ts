import { enumerationEntries, isComplete } from '../../lwm2m/index.ts';

/** A part of a range: the values from `low` to `high`, both included. */
export interface Span {
  readonly low: number;
  readonly high: number;
}

const NUMBER = '[-+]?\\d{1,20}(?:\\.\\d{1,20})?';
const SPAN = new RegExp(`^(${NUMBER})(?:\\s*(?:\\.\\.|-|to)\\s*(${NUMBER}))?$`);

/**
 * Reads the range of a number in the forms of the public registry: `0..100`, `0-100`, `1 to 5`, `0,1,2`, `0; 3.8..20.5`,
 * `0..247,255`, `-30..-120` (the larger one first), `16 bits`, `2 bytes`, `0: off, 1: on`. Null for other words, for an
 * enumeration that mentions other values, and for a single number, which can be a value, a maximum or a count.
 */
export function numberRange(text: string): readonly Span[] | null {
  const size = /^\s*(\d{1,2})\s*(bit|byte)s?\s*$/.exec(text);
  if (size) {
    const bits = Number(size[1]) * (size[2] === 'byte' ? 8 : 1);
    return [{ low: -(2 ** (bits - 1)), high: 2 ** bits - 1 }];
  }
  const entries = enumerationEntries(text);
  if (entries) return isComplete(entries) ? entries : null;
  const spans = spansOf(text);
  const [first, ...more] = spans ?? [];
  return more.length === 0 && first?.low === first?.high ? null : spans;
}

/** The lengths that a range allows to a String or an Opaque value. */
export interface LengthRange {
  readonly spans: readonly Span[];
  /** False: a String is measured in characters. */
  readonly inBytes: boolean;
}

/**
 * Reads the range of a text or of bytes, which limits the length: `0..255`, `1..64 bytes`, `10 or 26 bytes`, `8 bits`.
 * A single number is a maximum: definitions use it for texts of this length and for longest texts. Null for other words.
 */
export function lengthRange(text: string): LengthRange | null {
  const bits = /^\s*(\d{1,3})\s*bits?\s*$/.exec(text)?.[1];
  if (bits !== undefined) return { spans: [{ low: 0, high: Math.ceil(Number(bits) / 8) }], inBytes: true };
  const bare = text.replace(/\s*bytes?\s*$/, '');
  const spans = spansOf(bare);
  if (spans === null) return null;
  const [first, ...more] = spans;
  const isMaximum = first !== undefined && more.length === 0 && first.low === first.high;
  return { spans: isMaximum ? [{ low: 0, high: first.high }] : spans, inBytes: bare !== text };
}

function spansOf(text: string): readonly Span[] | null {
  const spans: Span[] = [];
  for (const part of text.split(/[,;]|\bor\b/)) {
    const [, one, other] = SPAN.exec(part.trim()) ?? [];
    if (one === undefined) return null;
    const ends = [Number(one), Number(other ?? one)];
    spans.push({ low: Math.min(...ends), high: Math.max(...ends) });
  }
  return spans;
}
