import type { ResourceType } from '../value.ts';

/** What a resource is, by its object's definition (Core 1.2 §7.2, Appendix D.1). */
export interface ResourceDefinition {
  readonly id: number;
  readonly name: string;
  /** R, W, RW, E, or none (only the bootstrap interface touches it). */
  readonly operations: 'R' | 'W' | 'RW' | 'E' | '';
  readonly multiple: boolean;
  readonly mandatory: boolean;
  /** Null for an executable resource. */
  readonly type: ResourceType | null;
  /** As the definition writes it: `0..100`. Empty when there is none. */
  readonly range: string;
  readonly units: string;
}

export interface ObjectDefinition {
  readonly id: number;
  /** major.minor */
  readonly version: string;
  readonly name: string;
  readonly urn: string;
  readonly lwm2mVersion: string;
  readonly multiple: boolean;
  readonly mandatory: boolean;
  /** By ascending id. */
  readonly resources: readonly ResourceDefinition[];
}

/** Where definitions are looked up: the OMA registry, or a tenant's own laid over it. */
export interface ObjectModel {
  /** The definition of this version, else of the highest minor of its major; undefined when unknown. Without a version: the highest. */
  object(objectId: number, version?: string): ObjectDefinition | undefined;
  resource(objectId: number, resourceId: number, version?: string): ResourceDefinition | undefined;
  /** Every version of every object, by id and version. */
  definitions(): Iterable<ObjectDefinition>;
}
