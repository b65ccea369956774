import * as z from 'zod';
import { FleetError } from '../common/index.ts';
import type { OperationInput } from './operation-input.ts';
import { fill, fillPath, namesIn, partAt } from './template.ts';

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
    force: z.boolean().nullish(),
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
 * operation. Throws FleetError VALIDATION if the method is unknown or can't work (field `method`), or if a parameter is
 * unknown, missing or invalid (field `params`, followed by the path in them).
 */
export function operationOf(method: string, params: unknown, methods: readonly RpcMethod[]): OperationInput {
  const known = methodNamed(method, methods);
  if (known) return templated(known, params);
  if (isOperation(method)) {
    const fields = parse(OPERATIONS[method], params, method, inParams);
    // The schema of a kind returns the other members of that kind's input; `satisfies` checks that each kind has a schema.
    return { kind: method, ...fields } as OperationInput;
  }
  throw new FleetError(
    'VALIDATION',
    `${JSON.stringify(method.slice(0, 80))} is neither a method of the device’s profile nor an LwM2M operation`,
    { field: ['method'] },
  );
}

/**
 * Finds the part of a call that a field of its operation comes from: `params` and the path in them, or `method` if no
 * parameter has a part in it.
 */
export function fieldOfCall(
  method: string,
  field: readonly string[],
  methods: readonly RpcMethod[],
): readonly string[] {
  const known = methodNamed(method, methods);
  if (!known) return ['params', ...field];
  return fieldFrom(templateOf(known, field));
}

/** The part of the method's template that makes a field of the operation. */
function templateOf({ operation, path: at, parameters = {} }: RpcMethod, field: readonly string[]): unknown {
  const [first, , third, ...rest] = field;
  if (first === 'path' || first === 'paths' || first === 'objectId') return at;
  if (operation !== 'WRITE' || first !== 'values') return partAt(parameters, field);
  if (third === 'path') return at;
  return third === 'value' ? partAt(parameters, ['value', ...rest]) : [parameters['value'], at];
}

function fieldFrom(template: unknown): readonly string[] {
  const [name] = namesIn(template);
  return name === undefined ? ['method'] : ['params', name];
}

/** True for a name that `callRpc` knows for every device: an LwM2M operation or a standard method. */
export function isBuiltInMethod(name: string): boolean {
  return isOperation(name) || STANDARD_METHODS.some((standard) => standard.name === name);
}

/** A part of a method's `parameters` that keeps every call of it from working. */
export interface TemplateProblem {
  /** The path in `parameters`; empty for the whole. */
  readonly at: readonly string[];
  readonly message: string;
}

/** Finds what is wrong in the parameters of a method, whatever a call gives for its `{{…}}`. */
export function templateProblem({ operation, parameters = {} }: RpcMethod): TemplateProblem | null {
  const parsed = TEMPLATES[operation].safeParse(parameters);
  const issues = parsed.success ? [] : parsed.error.issues;
  for (const issue of issues) {
    const found = problemOf(issue, operation);
    // What a call fills in is checked when it is called.
    if (issue.code === 'unrecognized_keys' || namesIn(partAt(parameters, found.at)).size === 0) return found;
  }
  return null;
}

function methodNamed(method: string, methods: readonly RpcMethod[]): RpcMethod | undefined {
  return [...methods, ...STANDARD_METHODS].find(({ name }) => name === method);
}

function isOperation(method: string): method is OperationInput['kind'] {
  return Object.hasOwn(OPERATIONS, method);
}

function inParams(path: readonly string[]): readonly string[] {
  return ['params', ...path];
}

function templated(method: RpcMethod, params: unknown): OperationInput {
  const given = parse(z.record(z.string(), z.json()).nullish(), params, method.name, inParams) ?? {};
  const known = namesIn([method.path, method.parameters ?? {}]);
  for (const name of Object.keys(given)) {
    if (known.has(name)) continue;
    const takes = known.size === 0 ? 'no parameter' : `only ${[...known].join(', ')}`;
    throw new FleetError('VALIDATION', `${method.name} takes ${takes}: remove ${JSON.stringify(name.slice(0, 80))}`, {
      field: ['params', name],
    });
  }
  const at = fillPath(method.path, given);
  const filled = fill(method.parameters ?? {}, given);
  const ofTemplate = (path: readonly string[]): readonly string[] => fieldFrom(partAt(method.parameters, path));
  switch (method.operation) {
    case 'READ':
      return { kind: 'read', paths: [at], ...parse(TEMPLATES.READ, filled, method.name, ofTemplate) };
    case 'WRITE': {
      const { value, ...rest } = parse(TEMPLATES.WRITE, filled, method.name, ofTemplate);
      // planOperation checks the JSON value by the type of the resource.
      return { kind: 'write', values: [{ path: at, value: value as string }], ...rest };
    }
    case 'EXECUTE':
      return { kind: 'execute', path: at, ...parse(TEMPLATES.EXECUTE, filled, method.name, ofTemplate) };
    case 'CREATE': {
      const { values: created, ...rest } = parse(TEMPLATES.CREATE, filled, method.name, ofTemplate);
      return {
        kind: 'create',
        objectId: Number(at.slice(1)),
        values: created.map((entry) => ({ path: entry.path, value: entry.value as string })), // planOperation checks it too
        ...rest,
      };
    }
    case 'DELETE':
      parse(TEMPLATES.DELETE, filled, method.name, ofTemplate);
      return { kind: 'delete', path: at };
  }
}

function parse<T extends z.ZodType>(
  schema: T,
  value: unknown,
  method: string,
  fieldOf: (path: readonly string[]) => readonly string[],
): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const { at, message } = issue ? problemOf(issue, method) : { at: [], message: 'the parameters are invalid' };
  throw new FleetError('VALIDATION', message, { field: fieldOf(at) });
}

/** `method` is the name of a method or an operation, for the message. */
function problemOf(issue: z.core.$ZodIssue, method: string): TemplateProblem {
  const at = issue.path.map(String);
  const name = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  if (name === undefined) return { at, message: issue.message };
  const where = at.length === 0 ? '' : ` at ${at.join('.')}`;
  return {
    at: [...at, name],
    message: `${method} has no parameter ${JSON.stringify(name.slice(0, 80))}${where}: remove it`,
  };
}
