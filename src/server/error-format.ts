import type { Plugin } from 'graphql-yoga';
import { GraphQLError, type ExecutionResult, type GraphQLErrorExtensions } from 'graphql';
import type { Context } from '../../schema/index.ts';

/** The code of an error of graphql-js that has none: a part of the request is wrong. */
const REQUEST_CODE = 'BAD_USER_INPUT';

/**
 * A result without `data` means that the operation was not executed. Its status is then 400, in the media type
 * `application/graphql-response+json` (GraphQL over HTTP §6.4.2); in `application/json` it is 200.
 */
const NOT_EXECUTED = { spec: true, status: 400 };

/** Yoga's code for a body or parameters that are no GraphQL request. */
const MALFORMED_REQUEST = 'BAD_REQUEST';

/** Gives each error of an HTTP response its code, and each response without `data` its status. */
export const useErrorFormat: Plugin<Context> = {
  onResultProcess({ result, setResult }) {
    if (Array.isArray(result) || Symbol.asyncIterator in result) return;
    const { errors, data } = result as ExecutionResult; // the result is neither a batch nor a stream
    if (!errors) return;
    const executed = data !== undefined;
    setResult({
      ...result,
      errors: errors.map((error) => {
        const { http = executed ? undefined : NOT_EXECUTED, ...extensions } = error.extensions;
        return withExtensions(error, {
          ...withCode(extensions),
          ...(http !== undefined && { http: statusOf(http, extensions) }),
        });
      }),
    });
  },
};

/** A body that is no JSON, or without `query`, is answered 400 in both media types (GraphQL over HTTP §6.4.1.1). */
function statusOf(http: object, { code }: GraphQLErrorExtensions): object {
  return code === MALFORMED_REQUEST ? { ...http, spec: false } : http;
}

/** As `useErrorFormat`, for a WebSocket, where an error has no status. */
export function formatOfWebSocket(errors: readonly GraphQLError[]): GraphQLError[] {
  return errors.map((error) => {
    const { http: _http, ...extensions } = error.extensions;
    return withExtensions(error, withCode(extensions));
  });
}

function withCode(extensions: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return typeof extensions['code'] === 'string' ? { ...extensions } : { ...extensions, code: REQUEST_CODE };
}

/** The error with other extensions; the original error stays, because it decides the status of unexpected errors. */
function withExtensions(error: GraphQLError, extensions: Record<string, unknown>): GraphQLError {
  const { message, nodes, source, positions, path, originalError } = error;
  return new GraphQLError(shortened(message), { nodes, source, positions, path, originalError, extensions });
}

const LONGEST_MESSAGE = 500;

/** graphql-js repeats a whole value of the caller in a message; the reason is at its end. */
function shortened(message: string): string {
  if (message.length <= LONGEST_MESSAGE) return message;
  const half = LONGEST_MESSAGE / 2;
  return `${message.slice(0, half)}…${message.slice(-half)}`;
}
