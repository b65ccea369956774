import { type BootstrapConfiguration, Path, type PathValue, type TypedValue } from '../../lwm2m/index.ts';
import { FleetError } from '../common/index.ts';
import { type DefinitionSource, parsePath, valuesAt } from '../objects/index.ts';
import { rangeProblem } from '../operations/index.ts';
import type { BootstrapPlan, BootstrapTarget } from './bootstrap.ts';

/** A PSK that was created for one bootstrap. */
export interface FreshPsk {
  readonly identity: string;
  readonly key: Uint8Array;
}

/** The placeholders of texts in a plan's values: `{{endpoint}}`. The PSK ones give base64, as Opaque is in JSON. */
export const TEMPLATE_NAMES = [
  'endpoint',
  'serverUri',
  'shortServerId',
  'lifetime',
  'binding',
  'pskIdentity',
  'psk',
] as const;
type TemplateName = (typeof TEMPLATE_NAMES)[number];

const SECURITY = 0;
const SERVER = 1;
/** Values of Security Mode, resource 2 of Security (/0): Core 1.2, Appendix E.1. */
const PSK = 0;
const NO_SEC = 3;
/** A text that is one placeholder, and the placeholders in a text. */
const WHOLE = /^\{\{(\w{1,64})\}\}$/;
const PLACE = /\{\{(\w{1,64})\}\}/g;

/** True if the plan writes a new key in each bootstrap. */
export function wantsPsk({ server, values }: BootstrapPlan): boolean {
  return server?.security === 'FRESH_PSK' || /\{\{psk(Identity)?\}\}/.test(JSON.stringify(values));
}

/**
 * Converts the plan to the configuration of one device. Throws FleetError VALIDATION for a value that does not fit its
 * resource, an unknown placeholder, and a path that the plan sets twice.
 */
export function configurationOf(
  plan: BootstrapPlan,
  endpoint: string,
  psk: FreshPsk | null,
  source: DefinitionSource,
): BootstrapConfiguration {
  const { server, deletes, reads } = plan;
  const known = valuesFor(server, endpoint, psk);
  const planned = plan.values.flatMap(({ path, value }, index) => {
    const field = ['values', String(index)];
    const at = parsePath(path, [...field, 'path']);
    const made = valuesAt(at, filled(value, known, field), [...field, 'value'], source);
    const problem = made.map((each) => rangeProblem(each, source)).find((each) => each !== null);
    if (problem) throw new FleetError('VALIDATION', problem, { field: [...field, 'value'] });
    return made;
  });
  const values = [...(server ? accountOf(server, psk) : []), ...planned];
  const twice = values.find(({ path }, index) => values.findIndex((other) => other.path.equals(path)) < index);
  if (twice)
    throw new FleetError('VALIDATION', `${twice.path} appears twice: a plan can set each path once`, {
      field: ['values'],
    });
  if (server) checkInstances(server, values);
  return { deletes: deletes.map((path) => Path.parse(path)), values, reads: reads.map((path) => Path.parse(path)) };
}

/**
 * Throws VALIDATION for values that belong to another Security or Server instance than the plan's server and don't make
 * a whole one: without resource 0, which every instance has, the device refuses the configuration.
 */
function checkInstances(server: BootstrapTarget, values: readonly PathValue[]): void {
  for (const [object, own] of [
    [SECURITY, server.securityInstanceId],
    [SERVER, server.serverInstanceId],
  ] as const) {
    const whole = new Set(values.flatMap(({ path }) => (path.resourceId === 0 ? [String(path.cut(2))] : [])));
    const half = values.find(({ path }) => path.objectId === object && !whole.has(String(path.cut(2))));
    if (!half) continue;
    throw new FleetError(
      'VALIDATION',
      `${half.path} needs ${half.path.cut(2)}/0 too, or it belongs to the plan's server: /${object}/${own}`,
      { field: ['values'] },
    );
  }
}

/** Returns the values of the Security (/0) and the Server (/1) instance for a server. */
function accountOf(target: BootstrapTarget, psk: FreshPsk | null): readonly PathValue[] {
  const { uri, shortServerId, lifetime, binding, security } = target;
  const securityPath = Path.of(SECURITY, target.securityInstanceId);
  const serverPath = Path.of(SERVER, target.serverInstanceId);
  const nothing = new Uint8Array();
  const credential = security === 'FRESH_PSK' ? psk : null;
  return [
    { path: securityPath.child(0), value: { type: 'String', value: uri } },
    { path: securityPath.child(1), value: { type: 'Boolean', value: false } },
    { path: securityPath.child(2), value: { type: 'Integer', value: credential ? PSK : NO_SEC } },
    { path: securityPath.child(3), value: opaque(credential ? Buffer.from(credential.identity) : nothing) },
    { path: securityPath.child(4), value: opaque(nothing) },
    { path: securityPath.child(5), value: opaque(credential?.key ?? nothing) },
    { path: securityPath.child(10), value: { type: 'Integer', value: shortServerId } },
    { path: serverPath.child(0), value: { type: 'Integer', value: shortServerId } },
    { path: serverPath.child(1), value: { type: 'Integer', value: lifetime } },
    { path: serverPath.child(6), value: { type: 'Boolean', value: true } },
    { path: serverPath.child(7), value: { type: 'String', value: binding } },
  ];
}

function opaque(value: Uint8Array): TypedValue {
  return { type: 'Opaque', value };
}

/** Returns the value of each placeholder that the plan can use. */
function valuesFor(
  server: BootstrapTarget | null,
  endpoint: string,
  psk: FreshPsk | null,
): ReadonlyMap<string, string | number> {
  const known: Partial<Record<TemplateName, string | number>> = {
    endpoint,
    ...(server && {
      serverUri: server.uri,
      shortServerId: server.shortServerId,
      lifetime: server.lifetime,
      binding: server.binding,
    }),
    ...(psk && {
      pskIdentity: Buffer.from(psk.identity).toString('base64'),
      psk: Buffer.from(psk.key).toString('base64'),
    }),
  };
  return new Map(Object.entries(known));
}

/**
 * Replaces the placeholders in a value. A text that is one placeholder becomes its value with its type; a placeholder
 * in a longer text becomes part of the text.
 */
function filled(value: unknown, known: ReadonlyMap<string, string | number>, field: readonly string[]): unknown {
  if (typeof value === 'string') {
    const look = (name: string): string | number => {
      const found = known.get(name);
      if (found !== undefined) return found;
      throw new FleetError(
        'VALIDATION',
        `{{${name}}} is unknown; the placeholders are ${[...known.keys()].join(', ')}`,
        {
          field,
        },
      );
    };
    const only = WHOLE.exec(value)?.[1];
    return only !== undefined ? look(only) : value.replaceAll(PLACE, (_place, inner: string) => String(look(inner)));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filled(item, known, [...field, name])]));
}
