import SchemaBuilder, {
  BasePlugin,
  type PothosInputFieldConfig,
  type PothosOutputFieldConfig,
  type SchemaTypes,
} from '@pothos/core';
import type { GraphQLFieldResolver } from 'graphql';
import { FleetError, shown } from '../src/fleet/index.ts';
import { text, type Rule } from './rules.ts';

declare global {
  // Pothos declares its types in this namespace.
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      inputs: InputPlugin<Types>;
    }
  }
}

/** The rule of a text without a rule of its own: the fleet rejects what is unknown or malformed. */
const ANY_TEXT = text({ least: 0, most: 1_000_000, lines: true });

/** Names of fields whose values no error shows. */
const SECRETS: ReadonlySet<string> = new Set(['key']);

/** Writes the limits of inputs into their descriptions, and names field and value in each ValidationError. */
class InputPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onInputFieldConfig(field: PothosInputFieldConfig<Types>): PothosInputFieldConfig<Types> {
    const rule = field.pothosOptions.validate as Partial<Rule<unknown>> | undefined; // a rule, or another validator
    if (rule?.limits !== undefined)
      return { ...field, description: `${field.description ?? ''} Limits: ${rule.limits}.` };
    if (rule || field.type.kind !== 'Scalar' || field.type.ref !== 'String') return field;
    return {
      ...field,
      extensions: { ...field.extensions, '@pothos/plugin-validation': { schemas: [ANY_TEXT] } },
    };
  }

  override wrapResolve(resolve: Resolver<Types>, field: PothosOutputFieldConfig<Types>): Resolver<Types> {
    return Object.keys(field.args).length === 0 ? resolve : naming(resolve);
  }

  override wrapSubscribe(
    subscribe: Resolver<Types> | undefined,
    _field: PothosOutputFieldConfig<Types>,
  ): Resolver<Types> | undefined {
    return subscribe && naming(subscribe);
  }
}

type Resolver<Types extends SchemaTypes> = GraphQLFieldResolver<unknown, Types['Context'], object>;

function naming<Types extends SchemaTypes>(resolve: Resolver<Types>): Resolver<Types> {
  return (source, args, context, info) => {
    const fail = (error: unknown): never => {
      throw error instanceof FleetError ? named(error, args) : error;
    };
    try {
      const result: unknown = resolve(source, args, context, info);
      return result instanceof Promise ? result.catch(fail) : result;
    } catch (error) {
      return fail(error);
    }
  };
}

/**
 * The error with its field and the field’s value at the start of the message, unless the message has them already. A
 * text of several lines, such as a file, is not repeated.
 */
function named(error: FleetError, args: object): FleetError {
  const { code, field, message } = error;
  if (code !== 'VALIDATION' || field.length === 0) return error;
  const place = `${field.join('.')}: `;
  const rest = message.startsWith(place) ? message.slice(place.length) : message;
  const value = SECRETS.has(field.at(-1) ?? '') ? undefined : valueAt(args, field);
  const repeated =
    value === undefined || typeof value === 'object' || /\n/.test(String(value)) || rest.includes(shown(value));
  return new FleetError(code, `${place}${repeated ? '' : `${shown(value)}: `}${rest}`, { field, cause: error });
}

/** The value at a path in the arguments, or in the input of a mutation; undefined if there is none. */
export function valueAt(args: object, path: readonly string[]): unknown {
  const { input = args } = args as { input?: unknown }; // of a mutation
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    input,
  );
}

SchemaBuilder.registerPlugin('inputs', InputPlugin);

export default 'inputs' as const;
