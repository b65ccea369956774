import { RESOURCE_TYPES } from '../value.ts';
import type { ObjectDefinition, ResourceDefinition } from './definition.ts';

/** A line of data/objects.txt: `[id,version,name,urn,lwm2mVersion,flags,[resource…]]`. */
type PackedObject = readonly [number, string, string, string, string, number, readonly PackedResource[]];
/**
 * The type is an index of RESOURCE_TYPES, -1 for a resource without one. Empty range and units at the end are left out.
 */
type PackedResource = readonly [number, string, ResourceDefinition['operations'], number, number, string?, string?];

const MULTIPLE = 1;
const MANDATORY = 2;
const LINE = /^\[(\d+),"([\d.]+)"/;

/** The first line of data/objects.txt: the day up to which the registry is complete. */
export function packDate(date: string): string {
  return JSON.stringify({ completeUntil: date });
}

/** Throws SyntaxError for a line that packDate did not write. */
export function packedDate(line: string): string {
  // packDate wrote it, so the shape is known.
  return (JSON.parse(line) as { completeUntil: string }).completeUntil;
}

/** A definition as one line. Descriptions are left out, so that the registry stays small. */
export function packDefinition(definition: ObjectDefinition): string {
  const { id, version, name, urn, lwm2mVersion, resources } = definition;
  const packed: PackedObject = [id, version, name, urn, lwm2mVersion, flagsOf(definition), resources.map(packResource)];
  return JSON.stringify(packed);
}

function packResource(resource: ResourceDefinition): PackedResource {
  const { id, name, operations, type, range, units } = resource;
  const head = [id, name, operations, flagsOf(resource), type === null ? -1 : RESOURCE_TYPES.indexOf(type)] as const;
  if (units !== '') return [...head, range, units];
  return range === '' ? head : [...head, range];
}

function flagsOf({ multiple, mandatory }: { multiple: boolean; mandatory: boolean }): number {
  return (multiple ? MULTIPLE : 0) | (mandatory ? MANDATORY : 0);
}

export function unpackDefinition(line: string): ObjectDefinition {
  // packDefinition wrote data/objects.txt, so the shape is known.
  const [id, version, name, urn, lwm2mVersion, flags, resources] = JSON.parse(line) as PackedObject;
  return {
    id,
    version,
    name,
    urn,
    lwm2mVersion,
    multiple: (flags & MULTIPLE) !== 0,
    mandatory: (flags & MANDATORY) !== 0,
    resources: resources.map(unpackResource),
  };
}

function unpackResource(packed: PackedResource): ResourceDefinition {
  const [id, name, operations, flags, type, range = '', units = ''] = packed;
  return {
    id,
    name,
    operations,
    multiple: (flags & MULTIPLE) !== 0,
    mandatory: (flags & MANDATORY) !== 0,
    type: RESOURCE_TYPES[type] ?? null,
    range,
    units,
  };
}

/** Reads the object id and version of a packed line without unpacking it. */
export function packedHead(line: string): { readonly id: number; readonly version: string } | undefined {
  const match = LINE.exec(line);
  return match?.[2] === undefined ? undefined : { id: Number(match[1]), version: match[2] };
}

/** Compares `major.minor` versions by number: 1.10 comes after 1.9. */
export function compareVersions(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor - rightMajor || leftMinor - rightMinor;
}
