import type { ResourceType } from '../value.ts';

/** A resource in an object definition (Core 1.2 §7.2, Appendix D.1). */
export interface ResourceDefinition {
  readonly id: number;
  readonly name: string;
  /** Absent: the file has none, or the definition is built in (see data/NOTICE.txt). */
  readonly description?: string;
  /** R, W, RW, E, or empty (only the bootstrap interface may access it). */
  readonly operations: 'R' | 'W' | 'RW' | 'E' | '';
  readonly multiple: boolean;
  readonly mandatory: boolean;
  /** Null: the definition names no type. An executable resource has none; another resource can have any. */
  readonly type: ResourceType | null;
  /** As the definition words it, with line breaks: `0..100`. Empty when there is none. */
  readonly range: string;
  readonly units: string;
}

export interface ObjectDefinition {
  readonly id: number;
  /** `major.minor` */
  readonly version: string;
  readonly name: string;
  /** Absent: the file has none, or the definition is built in (see data/NOTICE.txt). */
  readonly description?: string;
  readonly urn: string;
  readonly lwm2mVersion: string;
  readonly multiple: boolean;
  readonly mandatory: boolean;
  /** By ascending id. */
  readonly resources: readonly ResourceDefinition[];
}

/** A set of object definitions: the OMA registry, or the registry together with the definitions of a tenant. */
export interface ObjectModel {
  /**
   * Finds this version, else the highest minor version of its major; without `version` the highest. Undefined: unknown.
   */
  object(objectId: number, version?: string): ObjectDefinition | undefined;
  resource(objectId: number, resourceId: number, version?: string): ResourceDefinition | undefined;
  /** All versions of all objects, ordered by id and version. */
  definitions(): Iterable<ObjectDefinition>;
}
