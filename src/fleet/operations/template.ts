import { FleetError } from '../common/index.ts';

/** The parameters of a call, by name. */
export type Params = Readonly<Record<string, unknown>>;

const WHOLE = /^\{\{(\w{1,64})\}\}$/;
const PART = /\{\{(\w{1,64})\}\}/g;
const PATH_NUMBER = /^\d{1,5}$/;

/**
 * Replaces `{{name}}` in every text of a template. A text that is only `{{name}}` becomes the parameter with its own
 * type; in a longer text, the parameter is inserted as text. Throws FleetError VALIDATION with the field
 * `params`, name.
 */
export function fill(template: unknown, params: Params): unknown {
  if (typeof template === 'string') {
    const whole = WHOLE.exec(template)?.[1];
    if (whole !== undefined) return parameter(whole, params);
    return template.replace(PART, (_, name: string) => {
      const value = parameter(name, params);
      if (typeof value !== 'object') return String(value);
      throw refused(name, `${JSON.stringify(value).slice(0, 80)} must be a text, a number or a Boolean`);
    });
  }
  if (Array.isArray(template)) return template.map((item) => fill(item, params));
  if (typeof template === 'object' && template !== null) {
    return Object.fromEntries(Object.entries(template).map(([name, item]) => [name, fill(item, params)]));
  }
  return template;
}

/** Replaces `{{name}}` in a path; each parameter must be one number of the path. Throws like `fill`. */
export function fillPath(template: string, params: Params): string {
  return template.replace(PART, (_, name: string) => {
    const value = parameter(name, params);
    const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
    if (PATH_NUMBER.test(text)) return text;
    const given = JSON.stringify(value).slice(0, 80);
    throw refused(name, `${given} must be a whole number of 0..65534, because it is a part of the path ${template}`);
  });
}

/** The names of all `{{name}}` in a template. */
export function namesIn(template: unknown): ReadonlySet<string> {
  if (typeof template === 'string') return new Set([...template.matchAll(PART)].map(([, name = '']) => name));
  if (typeof template !== 'object' || template === null) return new Set();
  return new Set(Object.values(template).flatMap((item) => [...namesIn(item)]));
}

/** The part of a template at a path of member names and positions; the last text or value that the path reaches. */
export function partAt(template: unknown, path: readonly string[]): unknown {
  const [first, ...rest] = path;
  if (first === undefined || typeof template !== 'object' || template === null) return template;
  return Object.hasOwn(template, first) ? partAt((template as Params)[first], rest) : undefined; // it has the member
}

function parameter(name: string, params: Params): unknown {
  if (Object.hasOwn(params, name)) return params[name];
  throw refused(name, `the method requires the parameter ${name}`);
}

function refused(name: string, message: string): FleetError {
  return new FleetError('VALIDATION', message, { field: ['params', name] });
}
