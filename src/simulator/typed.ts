import type { ObjectLink, ResourceType, TypedValue } from '../lwm2m/index.ts';

export const text = (value: string): TypedValue => ({ type: 'String', value });
export const integer = (value: number): TypedValue => ({ type: 'Integer', value });
export const unsigned = (value: number): TypedValue => ({ type: 'Unsigned Integer', value });
export const float = (value: number): TypedValue => ({ type: 'Float', value });
export const boolean = (value: boolean): TypedValue => ({ type: 'Boolean', value });
export const opaque = (value: Uint8Array): TypedValue => ({ type: 'Opaque', value });
/** Whole seconds since the Unix epoch. */
export const time = (seconds: number): TypedValue => ({ type: 'Time', value: Math.floor(seconds) });
export const objectLink = (value: ObjectLink): TypedValue => ({ type: 'Objlnk', value });
/** A multiple resource with instance ids from 0. */
export const multiple = (...values: readonly TypedValue[]): Map<number, TypedValue> => new Map(values.entries());

/** Returns the number of a numeric value (a Time in seconds); undefined for other types. */
export function numberOf(value: TypedValue | undefined): number | undefined {
  switch (value?.type) {
    case 'Integer':
    case 'Unsigned Integer':
    case 'Float':
    case 'Time':
      return Number(value.value);
    default:
      return undefined;
  }
}

/** An empty or zero value of the type. */
export function blank(type: ResourceType): TypedValue {
  switch (type) {
    case 'String':
    case 'Corelnk':
      return { type, value: '' };
    case 'Integer':
    case 'Unsigned Integer':
    case 'Float':
    case 'Time':
      return { type, value: 0 };
    case 'Boolean':
      return boolean(false);
    case 'Opaque':
      return opaque(new Uint8Array());
    case 'Objlnk':
      return objectLink({ objectId: 65535, instanceId: 65535 });
  }
}
