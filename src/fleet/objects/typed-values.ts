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

/** A value to write at a path. The value of a multiple resource is an object of instance id → value. */
export interface WriteValue {
  readonly path: string;
  readonly value: JsonValue | Readonly<Record<string, JsonValue>>;
}

/** Finds the definitions of a device's resources. */
export interface DefinitionSource {
  readonly model: ObjectModel;
  /** The objects in the device's registration, with their versions. Empty if the device is not registered. */
  readonly objects: readonly RegisteredObject[];
}

/**
 * The definition of the resource at a path, in the object version that the device registered. Undefined for a path
 * without a resource, and for a resource without a definition.
 */
export function definitionAt(path: Path, { model, objects }: DefinitionSource): ResourceDefinition | undefined {
  const { objectId, resourceId } = path;
  if (objectId === null || resourceId === null) return undefined;
  const version = objects.find((object) => object.objectId === objectId)?.version;
  return model.resource(objectId, resourceId, version);
}

/** Parses a path. Throws FleetError VALIDATION if the text is not a path. */
export function parsePath(text: string, field: readonly string[]): Path {
  try {
    return Path.parse(text);
  } catch (error) {
    if (error instanceof Lwm2mError) throw new FleetError('VALIDATION', error.message, { field, cause: error });
    throw error;
  }
}

/**
 * Converts a value to write to typed values, one for each resource or resource instance. The path can be that of an
 * object instance (the value is an object of resource id → value), of a resource (of a multiple one, the value is an
 * object of instance id → value) or of a resource instance. Throws FleetError VALIDATION if the path or a value is
 * invalid.
 */
export function typedValues(written: WriteValue, field: readonly string[], source: DefinitionSource): PathValue[] {
  return valuesAt(parsePath(written.path, [...field, 'path']), written.value, [...field, 'value'], source);
}

/** Does the same as typedValues for a path that is already parsed. */
export function valuesAt(path: Path, value: unknown, field: readonly string[], source: DefinitionSource): PathValue[] {
  const refuse = (why: string): never => {
    throw new FleetError('VALIDATION', `${path}: ${why}`, { field });
  };
  switch (path.level) {
    case 'instance':
      if (!isRecord(value)) return refuse('the value of an instance must be an object of resource id → value');
      return entries(path, value, field, source);
    case 'resource': {
      const definition = definitionAt(path, source);
      if (isRecord(value)) {
        if (definition?.multiple === false) return refuse('is a single resource: give one value');
        return entries(path, value, field, source);
      }
      if (definition?.multiple) return refuse('is a multiple resource: give an object of instance id → value');
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
  if (type === null)
    throw new FleetError('VALIDATION', `${path}: is executable and has no value: leave it out`, { field });
  return valueFromJson(value, type, { path: String(path), field });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
