import {
  Lwm2mError,
  Path,
  type ObjectModel,
  type PathValue,
  type RegisteredObject,
  type ResourceDefinition,
  type TypedValue,
} from '../../lwm2m/index.ts';
import { FleetError } from '../common/index.ts';
import { typeFor, valueFromJson, type JsonValue } from './value-json.ts';

/** Values as JSON: see JsonValue; a multiple resource is an object of instance id → value. */
export interface WriteValue {
  readonly path: string;
  readonly value: JsonValue | Readonly<Record<string, JsonValue>>;
}

/** What is known of the device that an operation is for. */
export interface DefinitionSource {
  readonly model: ObjectModel;
  /** What the device registered: it says the versions of its objects. Empty when it is away. */
  readonly objects: readonly RegisteredObject[];
}

export function definitionAt(path: Path, { model, objects }: DefinitionSource): ResourceDefinition | undefined {
  const { objectId, resourceId } = path;
  if (objectId === null || resourceId === null) return undefined;
  const version = objects.find((object) => object.objectId === objectId)?.version;
  return model.resource(objectId, resourceId, version);
}

/** Throws FleetError VALIDATION for text that is not a path. */
export function parsePath(text: string, field: readonly string[]): Path {
  try {
    return Path.parse(text);
  } catch (error) {
    if (error instanceof Lwm2mError) throw new FleetError('VALIDATION', error.message, { field, cause: error });
    throw error;
  }
}

/**
 * The typed values of one written value: of a resource (an object of instance id → value when it is multiple), of a
 * resource instance, or of a whole object instance (an object of resource id → value).
 */
export function typedValues(written: WriteValue, field: readonly string[], source: DefinitionSource): PathValue[] {
  return valuesAt(parsePath(written.path, [...field, 'path']), written.value, [...field, 'value'], source);
}

/** As typedValues, of a value whose path has been read. */
export function valuesAt(path: Path, value: unknown, field: readonly string[], source: DefinitionSource): PathValue[] {
  const refuse = (why: string): never => {
    throw new FleetError('VALIDATION', `${path}: ${why}`, { field });
  };
  switch (path.level) {
    case 'instance':
      if (!isRecord(value)) return refuse('an instance is written as an object of resource id → value');
      return entries(path, value, field, source);
    case 'resource': {
      const definition = definitionAt(path, source);
      if (isRecord(value)) {
        if (definition?.multiple === false) return refuse('is a single resource: one value is wanted');
        return entries(path, value, field, source);
      }
      if (definition?.multiple) return refuse('is a multiple resource: an object of instance id → value is wanted');
      return [{ path, value: typed(path, value, field, definition) }];
    }
    case 'resource-instance':
      return [{ path, value: typed(path, value, field, definitionAt(path, source)) }];
    default:
      return refuse('only an instance, a resource or a resource instance can be written');
  }
}

function entries(
  path: Path,
  value: Readonly<Record<string, unknown>>,
  field: readonly string[],
  source: DefinitionSource,
): PathValue[] {
  return Object.entries(value).flatMap(([id, item]) => {
    const at = [...field, id];
    return valuesAt(parsePath(`${path}/${id}`, at), item, at, source);
  });
}

function typed(
  path: Path,
  value: unknown,
  field: readonly string[],
  definition: ResourceDefinition | undefined,
): TypedValue {
  const type = typeFor(definition, value);
  if (type === null) throw new FleetError('VALIDATION', `${path}: is executable and has no value`, { field });
  return valueFromJson(value, type, { path: String(path), field, range: definition?.range ?? '' });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
