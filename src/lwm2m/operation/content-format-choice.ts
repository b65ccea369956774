import { ContentFormat, currentContentFormat } from '../codec/index.ts';
import type { ObjectModel, ResourceDefinition } from '../model/definition.ts';
import type { Path } from '../path.ts';
import type { Lwm2mVersion, Registration } from '../registration/registration.ts';
import type { TypedValue } from '../value.ts';

/**
 * Formats that carry whole objects, in the order of preference per version: the most compact mandatory format comes
 * first (Core 1.2 §7.4). In 1.1 it is TLV, because most devices that announce no format are older than SenML.
 */
const STRUCTURED: Readonly<Record<Lwm2mVersion, readonly number[]>> = {
  '1.0': [ContentFormat.tlv, ContentFormat.lwm2mJson],
  '1.1': [ContentFormat.tlv, ContentFormat.senmlCbor, ContentFormat.senmlJson],
  '1.2': [ContentFormat.senmlCbor, ContentFormat.lwm2mCbor, ContentFormat.tlv, ContentFormat.senmlJson],
};

/** The order of preference among the formats that a device announces. */
const ANNOUNCED_ORDER: readonly number[] = [
  ContentFormat.lwm2mCbor,
  ContentFormat.senmlCbor,
  ContentFormat.tlv,
  ContentFormat.senmlJson,
  ContentFormat.lwm2mJson,
];

/** Formats that carry whole objects, in the order in which the server tries them. */
export function structuredFormats({ lwm2mVersion, contentFormats }: Registration): readonly number[] {
  const announced = new Set(contentFormats.map(currentContentFormat));
  const preferred = ANNOUNCED_ORDER.filter((format) => announced.has(format));
  return [...preferred, ...STRUCTURED[lwm2mVersion].filter((format) => !announced.has(format))];
}

/** The Accept options for a Read or an Observe, in the order in which the server tries them; null: no Accept. */
export function readFormats(path: Path, registration: Registration, model: ObjectModel): readonly (number | null)[] {
  const structured = structuredFormats(registration);
  const definition = definitionAt(path, registration, model);
  const single = path.level === 'resource-instance' || (path.level === 'resource' && definition?.multiple !== true);
  // Without Accept the device chooses the format; the response is decoded by its Content-Format.
  if (!single) return [...structured, null];
  const plain = definition?.type === 'Opaque' ? ContentFormat.opaque : ContentFormat.text;
  const announced = new Set(registration.contentFormats.map(currentContentFormat));
  const isAnnounced = (format: number): boolean => announced.has(format);
  const announcedPlain = [ContentFormat.cbor, plain].filter(isAnnounced);
  return [
    ...structured.filter(isAnnounced),
    ...announcedPlain,
    ...structured.filter((format) => !isAnnounced(format)),
    ...(announcedPlain.includes(plain) ? [] : [plain]),
    null,
  ];
}

/** The formats for the payload of a Write, in the order in which the server tries them. */
export function writeFormats(
  operation: { path: Path; mode: 'replace' | 'update'; values: readonly { path: Path; value: TypedValue }[] },
  registration: Registration,
): readonly number[] {
  const structured = structuredFormats(registration);
  if (operation.values.length === 0) return tlvFirst(structured);
  const [only] = operation.values;
  const single = operation.values.length === 1 && only?.path.equals(operation.path) === true;
  // A POST of text on a resource would be an Execute (Core 1.2 §6.3.5).
  if (!single || operation.mode === 'update') return structured;
  if (isEmpty(only.value)) {
    // A PUT without a payload is a Write-Attributes (Core 1.2 §6.3.4), so plain formats come last.
    return [...structured, plainFormat(only.value)];
  }
  if (only.value.type === 'Opaque') return [ContentFormat.opaque, ...structured];
  // Plain text is mandatory since 1.1; in 1.0 it was TLV (Core 1.2 §7.4).
  if (registration.lwm2mVersion === '1.0') return [...structured, ContentFormat.text];
  return [ContentFormat.text, ...structured];
}

/** For a payload without values: in LwM2M CBOR it is an empty map, which Anjay 1.2 refuses; in TLV it is empty. */
function tlvFirst(formats: readonly number[]): readonly number[] {
  return [ContentFormat.tlv, ...formats.filter((format) => format !== ContentFormat.tlv)];
}

/** The formats for the payload of a Create. SenML has absolute names, so it needs an instance id. */
export function createFormats(
  { instanceId, values }: { instanceId: number | null; values: readonly unknown[] },
  registration: Registration,
): readonly number[] {
  const offered = structuredFormats(registration);
  const structured = values.length === 0 ? tlvFirst(offered) : offered;
  if (instanceId !== null) return structured;
  const relative = structured.filter((format) => format === ContentFormat.tlv || format === ContentFormat.lwm2mCbor);
  return relative.includes(ContentFormat.tlv) ? relative : [...relative, ContentFormat.tlv];
}

/** The content formats of a composite request: of its list of paths, and of the response. */
export interface CompositeFormat {
  readonly body: number;
  readonly accept: number;
}

/** The formats for a Read- or Observe-Composite, in the order in which the server tries them. */
export function readCompositeFormats(registration: Registration): readonly CompositeFormat[] {
  return compositeSubset(registration).map((accept) => ({ body: pathListFormat(accept), accept }));
}

/** The format of the list of paths for a response format: LwM2M CBOR can't carry such a list. */
export function pathListFormat(accept: number): number {
  return accept === ContentFormat.lwm2mCbor ? ContentFormat.senmlCbor : accept;
}

/** The response format for the format of a list of paths: ETCH is for requests only. */
export function compositeAnswerFormat(body: number): number {
  if (body === ContentFormat.senmlEtchJson) return ContentFormat.senmlJson;
  return body === ContentFormat.senmlEtchCbor ? ContentFormat.senmlCbor : body;
}

/** The formats for a Write-Composite; only ETCH and LwM2M CBOR can delete. */
export function writeCompositeFormats(registration: Registration, deletes: boolean): readonly number[] {
  const formats = compositeSubset(registration);
  if (!deletes) return formats;
  return [ContentFormat.senmlEtchCbor, ContentFormat.senmlEtchJson, ContentFormat.lwm2mCbor];
}

function compositeSubset(registration: Registration): readonly number[] {
  const formats = structuredFormats(registration);
  return formats.filter((format) => format !== ContentFormat.tlv && format !== ContentFormat.lwm2mJson);
}

export function definitionAt(
  path: Path,
  registration: Registration,
  model: ObjectModel,
): ResourceDefinition | undefined {
  const { objectId, resourceId } = path;
  if (objectId === null || resourceId === null) return undefined;
  const version = path.prefix === null ? versionOf(registration, objectId) : undefined;
  return model.resource(objectId, resourceId, version);
}

/** The object version that the device registered. */
export function versionOf(registration: Registration, objectId: number): string | undefined {
  return registration.objects.find((object) => object.objectId === objectId)?.version;
}

function plainFormat(value: TypedValue): number {
  return value.type === 'Opaque' ? ContentFormat.opaque : ContentFormat.text;
}

function isEmpty(value: TypedValue): boolean {
  const carried = value.type === 'String' || value.type === 'Corelnk' || value.type === 'Opaque';
  return carried && value.value.length === 0;
}
