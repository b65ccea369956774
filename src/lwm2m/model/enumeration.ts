/** An entry of an enumeration: the values from `low` to `high`, both included, and what they mean. */
export interface EnumerationEntry {
  readonly low: number;
  readonly high: number;
  readonly label: string;
}

const NUMBER = String.raw`-?\d{1,15}`;
/** The start of an entry: a value or a span, then `:`, `=` or a dash before a word: `0: off`, `1 = on`, `2 - stuck`. */
const START = new RegExp(
  String.raw`(?<=^|[\s,;|])(${NUMBER})(?: ?(?:\.\.|-|to) ?(${NUMBER}))?(?: ?[:=] ?| - (?=\p{Letter}))`,
  'gu',
);
/** Words by which a list says that it is not complete. */
const OPEN_END = /\b(?:others?|etc)\b|\.\.\.|…/i;

/**
 * Reads a range that lists values with labels: `0: disabled 1: normal`, with line breaks, commas, semicolons or blanks
 * between the entries. Null for a text in another form, and for a text that gives one value twice.
 */
export function enumerationEntries(range: string): readonly EnumerationEntry[] | null {
  const text = range.replace(/\s+/g, ' ').trim();
  const starts = [...text.matchAll(START)];
  if (starts[0]?.index !== 0) return null;
  const entries = starts.map((start, index): EnumerationEntry => {
    const ends = [Number(start[1]), Number(start[2] ?? start[1])];
    const label = text.slice(start.index + start[0].length, starts[index + 1]?.index).replace(/[\s,;|]+$/, '');
    return { low: Math.min(...ends), high: Math.max(...ends), label };
  });
  const isListed = new Set(entries.map(({ low }) => low)).size === entries.length;
  return isListed && entries.every(({ label }) => label !== '') ? entries : null;
}

/** True if the values of the enumeration are all values that are allowed: the text mentions no others. */
export function isComplete(entries: readonly EnumerationEntry[]): boolean {
  return !entries.some(({ label }) => OPEN_END.test(label));
}
