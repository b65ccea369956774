import type { Plugin } from 'graphql-yoga';
import { GraphQLError, locatedError, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { costOf, type Context, type Cost, type CostLimits, type Measured } from '../../schema/index.ts';

interface CostExtension {
  readonly complexity: number;
  readonly depth: number;
  readonly maximumComplexity: number;
  readonly maximumDepth: number;
  readonly remaining: number;
}

/**
 * Refuses operations that exceed the cost limits and adds `extensions.cost` to the results of executed operations. An
 * error of the database, which knows the sizes of lists, becomes the result of the operation. `mask`: see `createMask`.
 */
export function useCost(limits: CostLimits, mask: (error: unknown) => GraphQLError): Plugin<Context> {
  const measure = async ({ schema, document, operationName, variableValues, contextValue }: ExecutionArgs) => {
    const context = contextValue as Context; // createContext made it
    try {
      const measured = await costOf(schema, {
        document,
        operationName,
        // The variables are unchecked.
        variables: variableValues as Record<string, unknown> | null | undefined,
        context,
        sizes: async () => context.fleet.devices.sizes(context.actor),
      });
      return check(measured, limits);
    } catch (error) {
      // Yoga masks only what the execution throws.
      return { refusal: { errors: [mask(locatedError(error, []))] } };
    }
  };
  return {
    async onExecute({ args, setResultAndStopExecution }) {
      const measured = await measure(args);
      if ('refusal' in measured) {
        setResultAndStopExecution(measured.refusal);
        return undefined;
      }
      return {
        onExecuteDone({ result, setResult }) {
          if (Symbol.asyncIterator in result) return;
          // createContext made the context.
          const within = withinLimit(result, args.contextValue as Context);
          setResult({ ...within, extensions: { ...within.extensions, cost: measured.cost } });
        },
      };
    },
    async onSubscribe({ args, setResultAndStopExecution }) {
      const measured = await measure(args);
      if ('refusal' in measured) setResultAndStopExecution(measured.refusal);
    },
  };
}

/** Returns the result; if the response is too large, only the error that says so. */
export function withinLimit(result: ExecutionResult, { responseSize: { refusal } }: Context): ExecutionResult {
  return refusal === null ? result : { errors: [refusal] };
}

function check(
  measured: Measured,
  limits: CostLimits,
): { readonly cost: CostExtension } | { readonly refusal: ExecutionResult } {
  if ('invalid' in measured) return { refusal: { errors: measured.invalid } };
  const { complexity, depth } = measured.cost;
  const cost: CostExtension = {
    complexity,
    depth,
    maximumComplexity: limits.complexity,
    maximumDepth: limits.depth,
    remaining: Math.max(0, limits.complexity - complexity),
  };
  const refuse = (message: string): { refusal: ExecutionResult } => {
    const error = new GraphQLError(message, { extensions: { code: 'COST_LIMIT_EXCEEDED' } });
    return { refusal: { errors: [error], extensions: { cost } } };
  };
  if (cost.complexity > limits.complexity) {
    return refuse(`The operation costs ${complexity}; the limit is ${limits.complexity}. ${adviceOn(measured.cost)}`);
  }
  if (cost.depth > limits.depth) {
    return refuse(`The operation has ${cost.depth} levels; the limit is ${limits.depth}. Nest fewer fields.`);
  }
  return { cost };
}

/** Names the most expensive path, and the connections on it whose page size is missing. */
function adviceOn({ expensive }: Cost): string {
  const path = `The most expensive path is ${expensive.map(({ name }) => name).join('.')}.`;
  const unpaged = expensive.flatMap(({ name, unpaged: items }) =>
    items === null ? [] : [`${name} has no \`first\`, so it counts ${items} items.`],
  );
  return [path, ...unpaged, 'Request smaller pages or fewer fields.'].join(' ');
}
