import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { expectedError } from '../../schema/index.ts';
import type { Log } from './log.ts';

/**
 * Masks errors for callers. An expected error passes with its code. An unexpected one is replaced by an id and logged
 * once under this id, however many fields and subscribers it affects. `introspection` false: suggestions of names are
 * left out, because they show the schema.
 */
export function createMask(log: Log, { introspection }: { introspection: boolean }): (error: unknown) => GraphQLError {
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
      if (saidByGraphql(error)) return introspection ? withoutBody(error) : withoutSuggestions(withoutBody(error));
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

/** For a body that is not JSON, Yoga adds the error of the parser, whose message has a part of the body. */
function withoutBody(error: GraphQLError): GraphQLError {
  if (!('originalError' in error.extensions)) return error;
  const { originalError: _originalError, ...extensions } = error.extensions;
  return new GraphQLError(error.message, { extensions });
}

const SUGGESTION = ' Did you mean ';

/** Removes the suggestion of names from a message of graphql-js. */
export function withoutSuggestions(error: GraphQLError): GraphQLError {
  // A suggestion is the end of its message. The text before it may come from the caller and be long.
  const start = error.message.endsWith('?') ? error.message.lastIndexOf(SUGGESTION) : -1;
  if (start < 0) return error;
  const message = error.message.slice(0, start);
  const { nodes, path, extensions } = error;
  return new GraphQLError(message, { nodes, path, extensions });
}

/** Errors of syntax, validation, variables and limits, which are written for callers. */
function saidByGraphql({ originalError }: GraphQLError): boolean {
  if (originalError === undefined) return true;
  return originalError instanceof GraphQLError && saidByGraphql(originalError);
}
