import { parseLwm2mVersion } from './lwm2m-version.ts';
import type { Lwm2mVersion } from './registration.ts';

/** The parameters of a Register (Core 1.2 §6.2.1), with the defaults of LwM2M 1.0. */
export interface RegisterParameters extends UpdateParameters {
  /** Null when a 1.1+ device sent no `ep`: its security identity then gives the endpoint name. */
  readonly endpoint: string | null;
  readonly lwm2mVersion: Lwm2mVersion;
  /** Seconds; 0 means infinite. */
  readonly lifetime: number;
  /** Letters without Q: `U`, `UT`. */
  readonly binding: string;
  readonly queueMode: boolean;
  readonly smsNumber: string | null;
  readonly profileIds: readonly string[];
}

/** The parameters of an Update; those that it leaves out stay. */
export interface UpdateParameters {
  readonly lifetime?: number;
  readonly binding?: string;
  /** From `Q`, or from `b` in the form of LwM2M 1.0; undefined when the query has neither. */
  readonly queueMode?: boolean;
  readonly smsNumber?: string | null;
  readonly profileIds?: readonly string[];
  /** Parameters that the standard does not define, unchanged; '' for a parameter without a value. */
  readonly additional: Readonly<Record<string, string>>;
}

/** `code` is the response code, `message` the diagnostic payload. */
export type QueryResult<Parameters> =
  | { readonly ok: true; readonly parameters: Parameters }
  | { readonly ok: false; readonly code: '4.00' | '4.12'; readonly message: string };

type Refusal = Extract<QueryResult<never>, { ok: false }>;

/** TS 1.0.2 §5.3.1: the default lifetime. */
const DEFAULT_LIFETIME = 86_400;
const LARGEST_LIFETIME = 2 ** 32 - 1;
/** All bindings of 1.0, where Q marks the letter before it. Later versions allow letters in any order. */
const BINDINGS_1_0: ReadonlySet<string> = new Set(['U', 'UQ', 'S', 'SQ', 'US', 'UQS']);
const BINDING_LETTERS: Readonly<Record<Exclude<Lwm2mVersion, '1.0'>, string>> = { '1.1': 'UTSN', '1.2': 'UTSNMH' };
/** Core 1.2 §6.2.1.2: `<hash suite>:<lowercase hex>`, or a name of OMA or a vendor. */
const PROFILE_ID = /^(?:\d+:[0-9a-f]+|(?:oma|v):[^",\s\p{Control}]+)$/u;

/** True for a valid Profile ID: `6:1234abcd`, `oma:…`, `v:…`. */
export function isProfileId(text: string): boolean {
  return PROFILE_ID.test(text);
}

/** Reads the Uri-Query options of a Register. Never throws. */
export function parseRegisterQuery(query: readonly string[]): QueryResult<RegisterParameters> {
  const named = parametersOf(query);
  if (!(named instanceof Map)) return named;
  const parsed = parseLwm2mVersion(named.get('lwm2m'));
  if (!parsed.ok) return parsed;
  const { version } = parsed;
  const said = commonParameters(named, version, ['ep', 'lwm2m']);
  if (!said.ok) return said;
  const { additional, lifetime, binding = 'U', queueMode = false, smsNumber = null, profileIds = [] } = said.parameters;
  const endpoint = named.get('ep');
  if (endpoint === '') return refused('the parameter ep is empty');
  if (endpoint === undefined && version === '1.0') return refused('the parameter ep is missing');
  if (lifetime === undefined && version !== '1.0') return refused('the parameter lt is missing');
  return {
    ok: true,
    parameters: {
      endpoint: endpoint ?? null,
      lwm2mVersion: version,
      lifetime: lifetime ?? DEFAULT_LIFETIME,
      binding,
      queueMode,
      smsNumber,
      profileIds,
      additional,
    },
  };
}

/** Reads the Uri-Query options of an Update of a registration of this version. Never throws. */
export function parseUpdateQuery(query: readonly string[], version: Lwm2mVersion): QueryResult<UpdateParameters> {
  const named = parametersOf(query);
  return named instanceof Map ? commonParameters(named, version, []) : named;
}

/** Parameters by name; '' for a parameter without a value. */
function parametersOf(query: readonly string[]): Map<string, string> | Refusal {
  const named = new Map<string, string>();
  for (const parameter of query) {
    const equals = parameter.indexOf('=');
    const name = equals === -1 ? parameter : parameter.slice(0, equals);
    if (name === '') return refused('a query parameter has no name');
    if (named.has(name)) return refused(`${quoted(name)} appears twice`);
    named.set(name, equals === -1 ? '' : parameter.slice(equals + 1));
  }
  return named;
}

function commonParameters(
  named: ReadonlyMap<string, string>,
  version: Lwm2mVersion,
  others: readonly string[],
): QueryResult<UpdateParameters> {
  let parameters: UpdateParameters = { additional: {} };
  const additional: [string, string][] = [];
  for (const [name, value] of named) {
    if (name === 'lt') {
      const lifetime = /^\d{1,10}$/.test(value) ? Number(value) : Infinity;
      if (lifetime > LARGEST_LIFETIME)
        return refused(`lt=${quoted(value)} is not a lifetime in seconds from 0 to ${LARGEST_LIFETIME}`);
      parameters = { ...parameters, lifetime };
    } else if (name === 'b') {
      const binding = bindingOf(value, version);
      if (binding === undefined) return refused(`b=${quoted(value)} is not a binding of LwM2M ${version}`);
      // The parameter `Q` also counts when `b` has no Q, before or after it.
      parameters = { ...parameters, ...binding, queueMode: binding.queueMode || named.has('Q') };
    } else if (name === 'Q') {
      if (value !== '') return refused('the parameter Q must not have a value');
      parameters = { ...parameters, queueMode: true };
    } else if (name === 'sms') {
      const smsNumber = /^\+?(\d{1,15})$/.exec(value)?.[1];
      if (smsNumber === undefined) return refused(`sms=${quoted(value)} is not an MSISDN`);
      parameters = { ...parameters, smsNumber };
    } else if (name === 'pid' && version === '1.2') {
      const profileIds = profileIdsOf(value);
      if (profileIds === undefined) return refused(`pid=${quoted(value)} is not a Profile ID`);
      parameters = { ...parameters, profileIds };
    } else if (!others.includes(name)) {
      additional.push([name, value]);
    }
  }
  return { ok: true, parameters: { ...parameters, additional: Object.fromEntries(additional) } };
}

/** Splits off Q. Since 1.1 queue mode is a parameter of its own, but some devices still put Q into the binding. */
function bindingOf(text: string, version: Lwm2mVersion): { binding: string; queueMode: boolean } | undefined {
  const queueMode = /^.+Q/.test(text);
  const binding = queueMode ? text.replace('Q', '') : text;
  if (version === '1.0') return BINDINGS_1_0.has(text) ? { binding, queueMode } : undefined;
  const letters = [...binding];
  const known = letters.every((letter) => BINDING_LETTERS[version].includes(letter));
  return known && letters.length > 0 && new Set(letters).size === letters.length ? { binding, queueMode } : undefined;
}

function profileIdsOf(value: string): readonly string[] | undefined {
  const list = /^"(.*)"$/.exec(value)?.[1];
  const ids = list === undefined ? [value] : list.split(',');
  return ids.every(isProfileId) ? ids : undefined;
}

function refused(message: string): Refusal {
  return { ok: false, code: '4.00', message };
}

/** Shortens and quotes text of a device for a diagnostic message. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
