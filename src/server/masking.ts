import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { expectedError } from '../../schema/index.ts';
import type { Log } from './log.ts';

/**
 * Masks errors for callers. An expected error passes with its code. An unexpected one is replaced by an id and logged
 * once under this id, however many fields and subscribers it affects.
 */
export function createMask(log: Log): (error: unknown) => GraphQLError {
  const ids = new WeakMap<object, string>();

  function idOf(cause: unknown): string {
    const known = typeof cause === 'object' && cause !== null ? ids.get(cause) : undefined;
    if (known !== undefined) return known;
    const id = randomUUID();
    if (typeof cause === 'object' && cause !== null) ids.set(cause, id);
    log.error({ id, err: cause }, 'unexpected error');
    return id;
  }

  return (error) => {
    if (error instanceof GraphQLError) {
      if (saidByGraphql(error)) return error;
      const expected = expectedError(error);
      if (expected) return expected;
    }
    const [cause, place] =
      error instanceof GraphQLError ? [error.originalError, { nodes: error.nodes, path: error.path }] : [error, {}];
    const id = idOf(cause);
    return new GraphQLError(`Unexpected error; the server logged it with the id ${id}.`, {
      ...place,
      extensions: { code: 'INTERNAL_SERVER_ERROR', id },
    });
  };
}

/** Errors of syntax, validation, variables and limits, which are written for callers. */
function saidByGraphql({ originalError }: GraphQLError): boolean {
  if (originalError === undefined) return true;
  return originalError instanceof GraphQLError && saidByGraphql(originalError);
}
