import type { Plugin } from 'graphql-yoga';
import { GraphQLError, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { costOf, type Context, type CostLimits, type Measured } from '../../schema/index.ts';

interface CostExtension {
  readonly complexity: number;
  readonly depth: number;
  readonly maximumComplexity: number;
  readonly maximumDepth: number;
  readonly remaining: number;
}

/** Refuses operations that exceed the cost limits and adds `extensions.cost` to the results of executed operations. */
export function useCost(limits: CostLimits): Plugin<Context> {
  const measure = ({ schema, document, operationName, variableValues, contextValue }: ExecutionArgs) =>
    check(
      costOf(schema, {
        document,
        operationName,
        // The variables are unchecked, and createContext made the context.
        variables: variableValues as Record<string, unknown> | null | undefined,
        context: contextValue as Context,
      }),
      limits,
    );
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const measured = measure(args);
      if ('refusal' in measured) {
        setResultAndStopExecution(measured.refusal);
        return;
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
    onSubscribe({ args, setResultAndStopExecution }) {
      const measured = measure(args);
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
  const cost: CostExtension = {
    ...measured.cost,
    maximumComplexity: limits.complexity,
    maximumDepth: limits.depth,
    remaining: Math.max(0, limits.complexity - measured.cost.complexity),
  };
  const refuse = (message: string): { refusal: ExecutionResult } => {
    const error = new GraphQLError(message, { extensions: { code: 'COST_LIMIT_EXCEEDED' } });
    return { refusal: { errors: [error], extensions: { cost } } };
  };
  if (cost.complexity > limits.complexity) {
    return refuse(
      `The operation costs ${cost.complexity}; the limit is ${limits.complexity}. Request smaller pages or fewer fields.`,
    );
  }
  if (cost.depth > limits.depth) {
    return refuse(`The operation has ${cost.depth} levels; the limit is ${limits.depth}. Nest fewer fields.`);
  }
  return { cost };
}
