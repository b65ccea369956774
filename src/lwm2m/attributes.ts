import { plainDecimal } from './codec/plain-decimal.ts';
import { Lwm2mError } from './error.ts';
import type { Link } from './link-format.ts';
import type { NotificationAttributes } from './operation/operation.ts';
import type { Path } from './path.ts';
import type { Lwm2mVersion } from './registration/registration.ts';
import type { ResourceType } from './value.ts';

type AttributeName = keyof NotificationAttributes;
type Kind = 'integer' | 'decimal' | 'flag';

interface Attribute {
  readonly kind: Kind;
  readonly since: Lwm2mVersion;
  /** The attribute is allowed only at resources of these types; undefined: at every level and type. */
  readonly types?: readonly ResourceType[];
}

const NUMERIC: readonly ResourceType[] = ['Integer', 'Unsigned Integer', 'Float', 'Time'];

/** The attributes of class NOTIFICATION (Core 1.2 §7.3.2). */
const ATTRIBUTES: Readonly<Record<AttributeName, Attribute>> = {
  pmin: { kind: 'integer', since: '1.0' },
  pmax: { kind: 'integer', since: '1.0' },
  gt: { kind: 'decimal', since: '1.0', types: NUMERIC },
  lt: { kind: 'decimal', since: '1.0', types: NUMERIC },
  st: { kind: 'decimal', since: '1.0', types: NUMERIC },
  epmin: { kind: 'integer', since: '1.1' },
  epmax: { kind: 'integer', since: '1.1' },
  edge: { kind: 'flag', since: '1.2', types: ['Boolean'] },
  con: { kind: 'flag', since: '1.2' },
  hqmax: { kind: 'integer', since: '1.2' },
};
const NAMES: readonly string[] = Object.keys(ATTRIBUTES);
/** The attributes that an Observe-Composite may carry (Core 1.2 §6.4.1). */
const COMPOSITE: readonly AttributeName[] = ['pmin', 'pmax', 'epmin', 'epmax', 'con'];
/** The largest GraphQL Int (68 years in seconds). The API could not return a larger value. */
const LARGEST_INTEGER = 2 ** 31 - 1;
const INTEGER = /^\d{1,10}$/;
const RULES = {
  integer: `an integer from 0 to ${LARGEST_INTEGER}`,
  decimal: 'a number with at most 40 digits before and after the point',
  step: 'a number above 0',
  flag: '0 or 1',
} as const;
/** The grammar of the standard has no sign, but devices measure negative values too. */
const DECIMAL = /^-?\d{1,40}(?:\.\d{1,40})?$/;

export interface AttributeTarget {
  /** The paths that the attributes apply to; an Observe-Composite has several. */
  readonly paths: readonly Path[];
  readonly lwm2mVersion: Lwm2mVersion;
  /** The type of the resource at `paths`; undefined when it is not known, null for an executable resource. */
  readonly type?: ResourceType | null | undefined;
}

/**
 * Writes the Uri-Query options of a Write-Attributes or an Observe: `pmin=10` sets, `pmin` unsets. Throws
 * INVALID_ARGUMENT when Core 1.2 §7.3.2 does not allow an attribute for this path or this LwM2M version.
 */
export function formatAttributes(attributes: NotificationAttributes, target: AttributeTarget): string[] {
  const given = NAMES.filter(isName).filter((name) => attributes[name] !== undefined);
  for (const name of given) checkTarget(name, target);
  const query = given.map((name) => formatAttribute(name, attributes[name] ?? null));
  checkTogether(attributes);
  return query;
}

/**
 * Parses the query of a Write-Attributes or an Observe. Throws INVALID_ARGUMENT for an unknown or repeated attribute
 * and for an invalid value.
 */
export function parseAttributes(query: readonly string[]): NotificationAttributes {
  const found = new Map<AttributeName, number | boolean | null>();
  for (const parameter of query) {
    const equals = parameter.indexOf('=');
    const name = equals === -1 ? parameter : parameter.slice(0, equals);
    if (!isName(name)) throw invalid(`${JSON.stringify(name.slice(0, 40))} is not a notification attribute`);
    if (found.has(name)) throw invalid(`${name} appears twice`);
    found.set(name, equals === -1 ? null : parseAttribute(name, parameter.slice(equals + 1)));
  }
  const attributes: NotificationAttributes = Object.fromEntries(found);
  checkTogether(attributes);
  return attributes;
}

/** An attribute that violates a rule of Core 1.2 §7.3.2. The message states the rule. */
export interface AttributeProblem {
  readonly name: keyof NotificationAttributes;
  readonly message: string;
}

/** Finds the first violated rule of a value or of a combination of values. Does not check the target. */
export function attributeProblem(attributes: NotificationAttributes): AttributeProblem | null {
  for (const name of NAMES.filter(isName)) {
    const value = attributes[name];
    if (value === undefined || value === null) continue;
    try {
      formatAttribute(name, value);
    } catch (error) {
      return { name, message: error instanceof Error ? error.message : String(error) };
    }
  }
  return togetherProblem(attributes);
}

/** Reads the notification attributes of a Discover link. Ignores other attributes and invalid values. */
export function linkAttributes({ attributes }: Link): NotificationAttributes {
  const found = Object.entries(attributes).flatMap(([name, text]) => {
    if (!isName(name) || text === null) return [];
    try {
      return [[name, parseAttribute(name, text)] as const];
    } catch {
      return [];
    }
  });
  return Object.fromEntries(found);
}

function isName(name: string): name is AttributeName {
  return NAMES.includes(name);
}

function checkTarget(name: AttributeName, { paths, lwm2mVersion, type }: AttributeTarget): void {
  const { since, types } = ATTRIBUTES[name];
  if (lwm2mVersion < since) throw invalid(`${name} requires LwM2M ${since}; the device uses ${lwm2mVersion}`);
  if (paths.length > 1 && !COMPOSITE.includes(name)) throw invalid(`${name} is not allowed in an Observe-Composite`);
  const above = paths.find((path) => path.resourceId === null);
  if (types !== undefined && above !== undefined)
    throw invalid(`${name} is allowed only at a resource, not at ${above}`);
  if (types !== undefined && type !== undefined && (type === null || !types.includes(type))) {
    throw invalid(`${name} is allowed only for ${types.join(', ')}, not for ${type ?? 'an executable resource'}`);
  }
}

function checkTogether(attributes: NotificationAttributes): void {
  const problem = togetherProblem(attributes);
  if (problem) throw invalid(problem.message);
}

/** Finds a combination that a device must reject (Core 1.2 §7.3.2). */
function togetherProblem({ gt, lt, st, epmin, epmax }: NotificationAttributes): AttributeProblem | null {
  if (typeof gt === 'number' && typeof lt === 'number') {
    if (lt >= gt) return { name: 'lt', message: `lt (${lt}) must be below gt (${gt})` };
    if (typeof st === 'number' && lt + 2 * st >= gt) {
      return { name: 'st', message: `lt + 2·st (${lt + 2 * st}) must be below gt (${gt})` };
    }
  }
  if (typeof epmin === 'number' && typeof epmax === 'number' && epmin >= epmax) {
    return { name: 'epmin', message: `epmin (${epmin}) must be below epmax (${epmax})` };
  }
  return null;
}

function formatAttribute(name: AttributeName, value: number | boolean | null): string {
  if (value === null) return name;
  // The parser checks the value: the server sends only what it can parse.
  const text = typeof value === 'boolean' ? String(Number(value)) : plainDecimal(value);
  parseAttribute(name, text);
  return `${name}=${text}`;
}

function parseAttribute(name: AttributeName, text: string): number | boolean {
  switch (ATTRIBUTES[name].kind) {
    case 'flag':
      if (text === '0' || text === '1') return text === '1';
      break;
    case 'integer':
      if (INTEGER.test(text) && Number(text) <= LARGEST_INTEGER) return Number(text);
      break;
    case 'decimal':
      // A step of 0 would not restrict notifications.
      if (DECIMAL.test(text) && (name !== 'st' || Number(text) > 0)) return Number(text);
      break;
  }
  throw invalid(
    `${name}=${text.slice(0, 40)}: ${name} must be ${RULES[name === 'st' ? 'step' : ATTRIBUTES[name].kind]}`,
  );
}

function invalid(message: string): Lwm2mError {
  return new Lwm2mError('INVALID_ARGUMENT', message);
}
