import type { Plugin } from 'graphql-yoga';
import { GraphQLError, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { costOf, type Context, type CostLimits } from '../../schema/index.ts';

interface CostExtension {
  readonly complexity: number;
  readonly depth: number;
  readonly maximumComplexity: number;
  readonly maximumDepth: number;
  readonly remaining: number;
}

/** Refuses operations that cost too much, and tells with every answer what it cost: `extensions.cost`. */
export function useCost(limits: CostLimits): Plugin<Context> {
  const measure = ({ schema, document, operationName, variableValues, contextValue }: ExecutionArgs) =>
    check(
      () =>
        costOf(schema, document, {
          operationName,
          // Variables as they came, and the context that our own factory made.
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
          setResult({ ...result, extensions: { ...result.extensions, cost: measured.cost } });
        },
      };
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const measured = measure(args);
      if ('refusal' in measured) setResultAndStopExecution(measured.refusal);
    },
  };
}

function check(
  count: () => { complexity: number; depth: number },
  limits: CostLimits,
): { readonly cost: CostExtension } | { readonly refusal: ExecutionResult } {
  let counted: { complexity: number; depth: number };
  try {
    counted = count();
  } catch (error) {
    const told = error instanceof GraphQLError ? error : new GraphQLError('', { originalError: asError(error) });
    return { refusal: { errors: [told] } };
  }
  const cost: CostExtension = {
    ...counted,
    maximumComplexity: limits.complexity,
    maximumDepth: limits.depth,
    remaining: Math.max(0, limits.complexity - counted.complexity),
  };
  const refuse = (message: string): { refusal: ExecutionResult } => {
    const error = new GraphQLError(message, { extensions: { code: 'COST_LIMIT_EXCEEDED' } });
    return { refusal: { errors: [error], extensions: { cost } } };
  };
  if (cost.complexity > limits.complexity) {
    return refuse(
      `The operation costs ${cost.complexity}, more than ${limits.complexity}: ask for smaller pages or fewer fields.`,
    );
  }
  if (cost.depth > limits.depth) {
    return refuse(`The operation is nested ${cost.depth} deep, more than ${limits.depth}.`);
  }
  return { cost };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
