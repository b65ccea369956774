import { RESOURCE_TYPES, type ResourceType } from '../../lwm2m/index.ts';

/** The name of a type in JSON, as the enum `ResourceType` of the schema spells it: `UNSIGNED_INTEGER`. */
export function resourceTypeName(type: ResourceType): string {
  return type.toUpperCase().replace(' ', '_');
}

/** Reads such a name, also the spelling of LwM2M that earlier versions stored (`Unsigned Integer`). */
export function resourceTypeOf(name: string): ResourceType | null {
  return RESOURCE_TYPES.find((type) => type === name || resourceTypeName(type) === name) ?? null;
}
