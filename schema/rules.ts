import { LIMITS, shown, textProblem, limitsOf, type TextLimits } from '../src/fleet/index.ts';

/** What is wrong with a value, to be read after it: `must be 0 to 65534`. `path` leads to the wrong part of the value. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly string[];
}

/**
 * A rule for the value of an argument or an input field, as the validation plugin expects it (Standard Schema). `limits`
 * becomes part of the description in the SDL.
 */
export interface Rule<T> {
  readonly limits: string;
  readonly check: (value: T) => { readonly value: T } | { readonly issues: readonly Issue[] };
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: 'treeline';
    readonly validate: (value: unknown) => { readonly value: T } | { readonly issues: readonly Issue[] };
  };
}

function rule<T>(limits: string, check: Rule<T>['check']): Rule<T> {
  // GraphQL has coerced the value to the type of the field.
  return {
    limits,
    check,
    '~standard': { version: 1, vendor: 'treeline', validate: (value) => check(value as T) },
  };
}

const wrong = (message: string): { readonly issues: readonly Issue[] } => ({ issues: [{ message }] });

/** A text. Its length counts Unicode code points. `check` returns a rule that the text violates, or null. */
export function text(limits: TextLimits, check: (text: string) => string | null = () => null): Rule<string> {
  return rule(limitsOf(limits), (value) => {
    const problem = textProblem(value, limits) ?? check(value);
    return problem === null ? { value } : wrong(`${shown(value)} ${problem}`);
  });
}

/** A text for people; blanks at its ends are removed. */
export function name(limits: TextLimits): Rule<string> {
  return rule(limitsOf(limits), (given) => {
    const value = given.trim();
    const problem = textProblem(value, limits);
    return problem === null ? { value } : wrong(`${shown(given)} ${problem}`);
  });
}

/** A text that no error message repeats. */
export function secret(limits: TextLimits, form: string): Rule<string> {
  return rule(form, (value) => (textProblem(value, limits) === null ? { value } : wrong(`must be ${form}`)));
}

/** A whole number. */
export function integer(least: number, most: number): Rule<number> {
  return rule(`${least} to ${most}`, (value) =>
    Number.isInteger(value) && value >= least && value <= most
      ? { value }
      : wrong(`${value} must be ${least} to ${most}`),
  );
}

/** A list, the rule of its items, and a rule of all of them together. */
export function list<T>(
  what: string,
  { least = 0, most }: { readonly least?: number; readonly most: number },
  items?: Rule<T>,
  check: (items: readonly T[]) => readonly Issue[] = () => [],
): Rule<T[]> {
  const count = least === 0 ? `at most ${most} ${what}` : `${least} to ${most} ${what}`;
  const limits = items && items.limits !== '' ? `${count} of ${items.limits} each` : count;
  return rule(limits, (values) => {
    if (values.length < least || values.length > most) return wrong(`must have ${count}, not ${values.length}`);
    const issues = [...check(values)];
    if (!items) return issues.length === 0 ? { value: values } : { issues };
    const checked = values.map((value, at) => {
      const result = value === null ? { value } : items.check(value);
      if ('value' in result) return result.value;
      for (const { message, path = [] } of result.issues) issues.push({ message, path: [String(at), ...path] });
      return value;
    });
    return issues.length === 0 ? { value: checked } : { issues };
  });
}

/** A list of a filter: the values of which one is wanted. */
export function choice<T>(what: string, items?: Rule<T>): Rule<T[]> {
  const { limits, check } = list(what, { most: LIMITS.filtered }, items);
  return rule(`${limits}; an empty list selects nothing`, check);
}

/** The text of a path; the scalar has checked its form. */
export function path(check: (path: string) => string | null): Rule<string> {
  return rule('', (value) => {
    const problem = check(value);
    return problem === null ? { value } : wrong(`${shown(value)} ${problem}`);
  });
}

export const NAME = name({ most: LIMITS.name });
/** Bytes of a key that the server generates; the fleet checks it. */
export const GENERATED_KEY: Rule<number> = rule('16 or 32', (value) => ({ value }));
export const OBJECT_ID = integer(0, 65_534);
export const METRICS = choice('names', text({ most: 128 }));
export const VERSION = text({ most: 11 }, (version) =>
  /^\d{1,5}\.\d{1,5}$/.test(version) ? null : 'must be major.minor, like 1.0',
);
export const PSK_IDENTITY = text({ most: 128 }, (identity) =>
  Buffer.byteLength(identity) <= 128 ? null : `must have at most 128 bytes, not ${Buffer.byteLength(identity)}`,
);
/** The fleet checks the digits. */
export const PSK_KEY = secret({ most: 128 }, '16 to 64 bytes in hex');
/** A JSON value that must be an object. */
export const OBJECT: Rule<unknown> = rule('an object', (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { value }
    : wrong(`${shown(value)} must be an object`),
);
