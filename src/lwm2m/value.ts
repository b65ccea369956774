import type { Path } from './path.ts';

/** The data types of Core 1.2 Appendix C. */
export type ResourceType =
  | 'String'
  | 'Integer'
  | 'Unsigned Integer'
  | 'Float'
  | 'Boolean'
  | 'Opaque'
  | 'Time'
  | 'Objlnk'
  | 'Corelnk';

/** An object link; 65535:65535 is the null link. */
export interface ObjectLink {
  readonly objectId: number;
  readonly instanceId: number;
}

/**
 * The value of one resource (or resource instance) with its type. Integers are exact: a number where it is safe
 * (|n| < 2^53), a bigint beyond. Time is in whole seconds since the Unix epoch. Corelnk is link-format text.
 */
export type TypedValue =
  | { readonly type: 'String' | 'Corelnk'; readonly value: string }
  | { readonly type: 'Integer' | 'Unsigned Integer' | 'Time'; readonly value: number | bigint }
  | { readonly type: 'Float'; readonly value: number }
  | { readonly type: 'Boolean'; readonly value: boolean }
  | { readonly type: 'Opaque'; readonly value: Uint8Array }
  | { readonly type: 'Objlnk'; readonly value: ObjectLink };

/** A value at its place. `path` is a resource or, for a multiple resource, a resource instance. */
export type Reading = TypedValue & {
  readonly path: Path;
  /** When it was measured, in seconds since the Unix epoch (may have a fraction); null: not said, so now. */
  readonly time: number | null;
  /** True when no definition of the object was known and the type was guessed from the format. */
  readonly guessed?: boolean;
};

/** What a payload holds: readings, and places that exist without a value. */
export interface Decoded {
  readonly readings: readonly Reading[];
  /** Object instances without resources, and multiple resources without instances. */
  readonly empty: readonly Path[];
}
