import * as z from 'zod';
import { FleetError } from '../common/index.ts';
import type { OperationInput } from './operation-input.ts';

/** A method of a profile: its name, and the LwM2M operation that a call of it runs with the parameters of the call. */
export interface RpcMethod {
  readonly name: string;
  readonly operation: 'READ' | 'WRITE' | 'EXECUTE' | 'CREATE' | 'DELETE';
  readonly path: string;
  /** A template: the call replaces `{{name}}` by its parameter of that name. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** The methods that every device has, with any profile: Reboot and Factory Reset of the Device object (Core 1.2, object 3). */
export const STANDARD_METHODS: readonly RpcMethod[] = [
  { name: 'reboot', operation: 'EXECUTE', path: '/3/0/4' },
  { name: 'factory_reset', operation: 'EXECUTE', path: '/3/0/5' },
];

const path = z.string().max(64);
const contentFormat = z.number().int().min(0).max(65_535).nullish();
const composite = z.enum(['AUTO', 'ALWAYS', 'NEVER']).nullish();
const values = z.array(z.strictObject({ path, value: z.json() })).max(100);
const attributes = z.strictObject({
  pmin: z.number().nullish(),
  pmax: z.number().nullish(),
  gt: z.number().nullish(),
  lt: z.number().nullish(),
  st: z.number().nullish(),
  epmin: z.number().nullish(),
  epmax: z.number().nullish(),
  edge: z.boolean().nullish(),
  con: z.boolean().nullish(),
  hqmax: z.number().nullish(),
});
const executeArguments = z.record(z.string(), z.string().nullable());

/** The parameters of each LwM2M operation that a call names directly. */
const OPERATIONS = {
  read: z.strictObject({ paths: z.array(path), contentFormat, withoutAccept: z.boolean().nullish(), composite }),
  write: z.strictObject({
    values,
    mode: z.enum(['REPLACE', 'UPDATE']).default('REPLACE'),
    contentFormat,
    composite,
    force: z.boolean().nullish(),
  }),
  execute: z.strictObject({ path, arguments: executeArguments.nullish() }),
  create: z.strictObject({
    objectId: z.number().int(),
    instanceId: z.number().int().nullish(),
    values: values.default([]),
    contentFormat,
  }),
  delete: z.strictObject({ path }),
  discover: z.strictObject({ path, depth: z.number().int().nullish() }),
  'write-attributes': z.strictObject({ path, attributes }),
  observe: z.strictObject({ paths: z.array(path), attributes: attributes.nullish(), contentFormat }),
  'cancel-observation': z.strictObject({ paths: z.array(path), passive: z.boolean().nullish() }),
} satisfies Record<OperationInput['kind'], z.ZodType>;

/** The parameters that the template of a method may set, by operation. */
const TEMPLATES = {
  READ: z.strictObject({ contentFormat }),
  WRITE: z.strictObject({
    value: z.json(),
    mode: z.enum(['REPLACE', 'UPDATE']).default('REPLACE'),
    contentFormat,
  }),
  EXECUTE: z.strictObject({ arguments: executeArguments.nullish() }),
  CREATE: z.strictObject({ instanceId: z.number().int().nullish(), values: values.default([]), contentFormat }),
  DELETE: z.strictObject({}),
} satisfies Record<RpcMethod['operation'], z.ZodType>;

/**
 * Returns the operation that a call runs. `method` names a method of the profile, a standard method or an LwM2M
 * operation. Throws FleetError VALIDATION if the method is unknown (field `method`) or the parameters are invalid (field
 * `params`, followed by the path in them).
 */
export function operationOf(method: string, params: unknown, methods: readonly RpcMethod[]): OperationInput {
  const known = [...methods, ...STANDARD_METHODS].find(({ name }) => name === method);
  if (known) return templated(known, params);
  if (isOperation(method)) {
    // The schema of a kind returns the other members of that kind's input; `satisfies` checks that each kind has a schema.
    return { kind: method, ...parse(OPERATIONS[method], params, ['params']) } as OperationInput;
  }
  throw new FleetError(
    'VALIDATION',
    `${JSON.stringify(method.slice(0, 80))} is neither a method of the device’s profile nor an LwM2M operation`,
    { field: ['method'] },
  );
}

/** True for a name that `callRpc` knows for every device: an LwM2M operation or a standard method. */
export function isBuiltInMethod(name: string): boolean {
  return isOperation(name) || STANDARD_METHODS.some((standard) => standard.name === name);
}

function isOperation(method: string): method is OperationInput['kind'] {
  return Object.hasOwn(OPERATIONS, method);
}

function templated(method: RpcMethod, params: unknown): OperationInput {
  const given = parse(z.record(z.string(), z.json()).nullish(), params, ['params']) ?? {};
  const known = namesIn([method.path, method.parameters ?? {}]);
  for (const name of Object.keys(given)) {
    if (known.has(name)) continue;
    const takes = known.size === 0 ? 'no parameter' : `only ${[...known].join(', ')}`;
    throw new FleetError('VALIDATION', `${method.name} takes ${takes}: remove ${JSON.stringify(name.slice(0, 80))}`, {
      field: ['params', name],
    });
  }
  const at = String(fill(method.path, given));
  const filled = fill(method.parameters ?? {}, given);
  switch (method.operation) {
    case 'READ':
      return { kind: 'read', paths: [at], ...parse(TEMPLATES.READ, filled, ['params']) };
    case 'WRITE': {
      const { value, ...rest } = parse(TEMPLATES.WRITE, filled, ['params']);
      // planOperation checks the JSON value by the type of the resource.
      return { kind: 'write', values: [{ path: at, value: value as string }], ...rest };
    }
    case 'EXECUTE':
      return { kind: 'execute', path: at, ...parse(TEMPLATES.EXECUTE, filled, ['params']) };
    case 'CREATE': {
      const { values: created, ...rest } = parse(TEMPLATES.CREATE, filled, ['params']);
      return {
        kind: 'create',
        objectId: Number(at.slice(1)),
        values: created.map((entry) => ({ path: entry.path, value: entry.value as string })), // planOperation checks it too
        ...rest,
      };
    }
    case 'DELETE':
      parse(TEMPLATES.DELETE, filled, ['params']);
      return { kind: 'delete', path: at };
  }
}

const WHOLE = /^\{\{(\w{1,64})\}\}$/;
const PART = /\{\{(\w{1,64})\}\}/g;

/**
 * Replaces `{{name}}` in every text of a template. A text that is only `{{name}}` becomes the parameter with its own
 * type; in a longer text, the parameter is inserted as text.
 */
function fill(template: unknown, params: Readonly<Record<string, unknown>>): unknown {
  if (typeof template === 'string') {
    const whole = WHOLE.exec(template)?.[1];
    if (whole !== undefined) return parameter(whole, params);
    return template.replace(PART, (_, name: string) => String(parameter(name, params)));
  }
  if (Array.isArray(template)) return template.map((item) => fill(item, params));
  if (typeof template === 'object' && template !== null) {
    return Object.fromEntries(Object.entries(template).map(([name, item]) => [name, fill(item, params)]));
  }
  return template;
}

/** The names of all `{{name}}` in a template. */
function namesIn(template: unknown): ReadonlySet<string> {
  if (typeof template === 'string') return new Set([...template.matchAll(PART)].map(([, name = '']) => name));
  if (typeof template !== 'object' || template === null) return new Set();
  return new Set(Object.values(template).flatMap((item) => [...namesIn(item)]));
}

function parameter(name: string, params: Readonly<Record<string, unknown>>): unknown {
  if (!Object.hasOwn(params, name)) {
    throw new FleetError('VALIDATION', `the method requires the parameter ${name}`, { field: ['params', name] });
  }
  return params[name];
}

function parse<T extends z.ZodType>(schema: T, value: unknown, field: readonly string[]): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new FleetError('VALIDATION', issue?.message ?? 'the parameters are invalid', {
    field: [...field, ...(issue?.path ?? []).map(String)],
  });
}
