import { Lwm2mError } from '../error.ts';

/** Maps a digit to a text, or to null for an argument without a value. */
export type ExecuteArguments = Readonly<Record<string, string | null>>;

/** Core 1.2 §6.3.5: arg = DIGIT ["=" "'" *CHAR "'"]; CHAR has no blank, `"`, `'` and `\`. */
const ARGUMENT = /([0-9])(?:='([!#-&(-[\]-~]*)')?/y;
const CHARACTERS = /^[!#-&(-[\]-~]*$/;

/**
 * Parses the payload of an Execute: `0='U',5`. An empty payload has no arguments. Throws INVALID_ARGUMENT with the
 * offset, also for a repeated digit (TS 1.2.1).
 */
export function parseExecuteArguments(text: string): ExecuteArguments {
  const found = new Map<string, string | null>();
  if (text === '') return {};
  let position = 0;
  for (;;) {
    ARGUMENT.lastIndex = position;
    const match = ARGUMENT.exec(text);
    if (match?.[1] === undefined) throw invalid("expected an argument such as 0 or 0='U'", position);
    if (found.has(match[1])) throw invalid(`argument ${match[1]} appears twice`, position);
    found.set(match[1], match[2] ?? null);
    position += match[0].length;
    if (position === text.length) return Object.fromEntries(found);
    if (text[position] !== ',') throw invalid('expected a comma after the argument', position);
    position += 1;
  }
}

/**
 * Writes the payload of an Execute by ascending digit. Throws INVALID_ARGUMENT when the grammar does not allow a value.
 */
export function formatExecuteArguments(args: ExecuteArguments): string {
  return Object.entries(args)
    .map(([digit, value]) => {
      if (!/^[0-9]$/.test(digit)) throw invalid(`argument ${JSON.stringify(digit)} is not a digit from 0 to 9`);
      if (value === null) return digit;
      if (!CHARACTERS.test(value)) {
        throw invalid(
          `argument ${digit} contains a character that LwM2M does not allow (blank, quote, backslash, non-ASCII)`,
        );
      }
      return `${digit}='${value}'`;
    })
    .join(',');
}

function invalid(message: string, offset?: number): Lwm2mError {
  return new Lwm2mError('INVALID_ARGUMENT', message, { offset });
}
