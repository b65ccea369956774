/** Select these members in every mutation, beside its payload, and give the result to `expectPayload`. */
export const USER_ERRORS = '__typename ... on UserError { message } ... on ValidationError { field }';

/** Why a mutation was refused. */
export class MutationError extends Error {
  name = 'MutationError';

  /**
   * @param {string} code For programs: VALIDATION, NOT_FOUND, CONFLICT, FORBIDDEN or DEVICE_UNREACHABLE.
   * @param {string[]} field The wrong part of the input, as ['values', '0', 'path']. Empty when there is none.
   * @param {string} message For people.
   */
  constructor(code, field, message) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

/**
 * The payload of a mutation's result. Throws a MutationError when the result is one of the API's errors, which arrive
 * as data and not in the top-level `errors`.
 */
export function expectPayload(result) {
  const { __typename: type, message, field = [] } = result;
  if (type === undefined) throw new TypeError('Select __typename in the result of the mutation.');
  if (!type.endsWith('Error')) return result;
  // NotFoundError → NOT_FOUND, as in `extensions.code` of the errors of queries.
  const code = type
    .replace(/Error$/, '')
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toUpperCase();
  throw new MutationError(code, field, message);
}
