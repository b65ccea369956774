import {
  defaultFieldResolver,
  getNamedType,
  GraphQLError,
  introspectionTypes,
  isLeafType,
  isObjectType,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  type GraphQLField,
  type GraphQLLeafType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from 'graphql';

/** What a field or a list item adds to its name and value in JSON: quotes, colon, comma, braces. */
const PUNCTUATION_BYTES = 4;
/** An entry of `errors` without its message: locations, path, code. */
const ERROR_BYTES = 150;

/** Counts the bytes of one response while it is built. */
export class ResponseSize {
  readonly #limit: number;
  #bytes = 0;
  #refusal: GraphQLError | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The error with which the operation ends; null while the response is within the limit. */
  get refusal(): GraphQLError | null {
    return this.#refusal;
  }

  /** Throws the refusal when the response exceeds the limit, now or before. */
  add(bytes: number, { path, fieldName }: Pick<GraphQLResolveInfo, 'path' | 'fieldName'>): void {
    this.#bytes += bytes;
    if (this.#refusal === null && this.#bytes <= this.#limit) return;
    // An error with a path is not copied by graphql-js: all fields that are left throw this one.
    this.#refusal ??= new GraphQLError(
      `The response exceeds ${this.#limit} bytes, the limit (TREELINE_GRAPHQL_MAX_RESPONSE_BYTES), at the field ${fieldName}. Request smaller pages or fewer fields.`,
      { path: [path.key], extensions: { code: 'RESPONSE_TOO_LARGE', limit: this.#limit } },
    );
    throw this.#refusal;
  }
}

/**
 * Makes every field of the schema count its bytes in the `responseSize` of the context, and fail without calling its
 * resolver once the limit is exceeded. The introspection fields count too. They belong to graphql-js and exist once in
 * the process; they count only in contexts that have a `responseSize`.
 */
export function countResponses(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isObjectType(type) && !introspectionTypes.includes(type)) Object.values(type.getFields()).forEach(count);
  }
  for (const type of introspectionTypes) if (isObjectType(type)) Object.values(type.getFields()).forEach(count);
  [SchemaMetaFieldDef, TypeMetaFieldDef, TypeNameMetaFieldDef].forEach(count);
  return schema;
}

function count(field: GraphQLField<unknown, unknown>): void {
  const { type, resolve = defaultFieldResolver } = field;
  const named = getNamedType(type);
  const leaf = isLeafType(named) ? named : null;
  field.resolve = (source, args, context, info) => {
    const size = sizeOf(context);
    if (size === null) return resolve(source, args, context, info);
    size.add(Buffer.byteLength(String(info.path.key)) + PUNCTUATION_BYTES, info);
    const complete = (value: unknown): unknown => {
      const result = repeatable(value);
      size.add(bytesOf(result, leaf), info);
      return result;
    };
    const fail = (error: unknown): never => {
      size.add(ERROR_BYTES + (error instanceof Error ? Buffer.byteLength(error.message) : 0), info);
      throw error;
    };
    let value: unknown;
    try {
      value = resolve(source, args, context, info);
    } catch (error) {
      return fail(error);
    }
    return isPromise(value) ? value.then(complete, fail) : complete(value);
  };
}

function sizeOf(context: unknown): ResponseSize | null {
  if (typeof context !== 'object' || context === null || !('responseSize' in context)) return null;
  return context.responseSize instanceof ResponseSize ? context.responseSize : null;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** GraphQL accepts any iterable as a list; one that can be read only once is copied. */
function repeatable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !(Symbol.iterator in value)) return value;
  return value instanceof Map || ArrayBuffer.isView(value) ? value : [...(value as Iterable<unknown>)];
}

/** The bytes of a resolver's result in the response. Objects have none of their own: their fields count. */
function bytesOf(value: unknown, leaf: GraphQLLeafType | null): number {
  if (value === null || value === undefined) return 4;
  if (Array.isArray(value) && (leaf === null || !isJson(leaf))) {
    let bytes = 0;
    for (const item of value) bytes += PUNCTUATION_BYTES + bytesOf(item, leaf);
    return bytes;
  }
  if (leaf === null) return 0;
  if (typeof value === 'boolean') return 5;
  if (typeof value === 'string') return jsonBytes(value);
  try {
    return jsonBytes(leaf.serialize(value));
  } catch {
    // The executor serializes it again and reports the error.
    return ERROR_BYTES;
  }
}

/** Whether an array can be one value of the scalar. */
function isJson({ name }: GraphQLLeafType): boolean {
  return name === 'JSON' || name === 'ResourceValue';
}

/** Control characters and quotes take up to six bytes in JSON. */
function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? 'null');
}
