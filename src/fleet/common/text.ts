const LONGEST_SHOWN = 80;

/** Characters that a reader can't see, or that reverse the text around them. */
const INVISIBLE = /[\p{Control}\p{Format}\p{Surrogate}\p{Line_Separator}\p{Paragraph_Separator}]/gu;

/** The limits of a text of the API. */
export interface TextLimits {
  /** Number of characters: Unicode code points. Default: 1. */
  readonly least?: number;
  readonly most: number;
  /** Line feeds, carriage returns and tabs are allowed, as in PEM and XML. */
  readonly lines?: boolean;
}

/** Number of Unicode code points. */
export function charactersOf(text: string): number {
  let count = 0;
  for (const _character of text) count += 1;
  return count;
}

/** `1 to 255 characters` */
export function limitsOf({ least = 1, most }: TextLimits): string {
  return least === 0 ? `at most ${most} characters` : `${least} to ${most} characters`;
}

/**
 * The rule that a text violates, to be read after the text: `must have 1 to 255 characters, not 300`. Null: the text is
 * valid. Refused besides a wrong length: control characters, unpaired surrogates, which UTF-8 can't encode, and
 * characters that change the direction of the text around them (Unicode UAX #9 §2).
 */
export function textProblem(text: string, limits: TextLimits): string | null {
  const { least = 1, most, lines = false } = limits;
  const bad = (lines ? /[\0\p{Surrogate}]/u : /[\p{Control}\p{Surrogate}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u).exec(
    text,
  );
  if (bad) return `must not contain the character U+${codeOf(bad[0])}`;
  const count = charactersOf(text);
  return count < least || count > most ? `must have ${limitsOf(limits)}, not ${count}` : null;
}

/** Replaces what a text of PostgreSQL can't contain, NUL and half a surrogate pair, by U+FFFD. */
export function storable(text: string): string {
  return text.replaceAll(/[\0\p{Surrogate}]/gu, '\uFFFD');
}

/** A value in an error message: JSON of at most 80 characters, in which every character is visible. */
export function shown(value: unknown): string {
  const json = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  const text = Array.from(json.slice(0, 2 * LONGEST_SHOWN))
    .slice(0, LONGEST_SHOWN)
    .join('');
  const visible = text.replace(INVISIBLE, (one) => `\\u{${codeOf(one)}}`);
  return text.length < json.length ? `${visible}…` : visible;
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
