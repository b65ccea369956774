export { createDefinitions, type Definitions, type KnownDefinition } from './definitions.ts';
export { checkAttributes, sameAttributes } from './notification-attributes.ts';
export { ObjectModels } from './object-models.ts';
export { OwnDefinitions } from './own-definitions.ts';
export {
  definitionAt,
  type DefinitionSource,
  parsePath,
  typedValues,
  valuesAt,
  type WriteValue,
} from './typed-values.ts';
export { resourceTypeName, resourceTypeOf } from './resource-type-name.ts';
export { type JsonValue, valueToJson } from './value-json.ts';
export { isSecretName, isSecretPath } from './secrets.ts';
