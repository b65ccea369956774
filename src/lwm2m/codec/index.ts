import { Lwm2mError } from '../error.ts';
import { parseLinks } from '../link-format.ts';
import type { Link } from '../link-format.ts';
import { Path } from '../path.ts';
import type { DecodedPayload, TypedValue } from '../value.ts';
import { readCborArray } from './cbor-reader.ts';
import { ContentFormat, contentFormatName, currentContentFormat } from './content-format.ts';
import type { CompositeValue, TimedValue } from './encoding.ts';
import type { Item } from './item.ts';
import { readJsonArray } from './json-reader.ts';
import { decodeLwm2mCbor, decodeLwm2mCborWrite } from './lwm2m-cbor.ts';
import { encodeLwm2mCbor, encodeLwm2mCborResources } from './lwm2m-cbor-writer.ts';
import { decodeLwm2mJson } from './lwm2m-json.ts';
import { encodeLwm2mJson } from './lwm2m-json-writer.ts';
import { decodeSenml, decodeSenmlEtch, decodeSenmlPaths } from './senml.ts';
import type { SenmlDialect } from './senml.ts';
import { SENML_CBOR, SENML_JSON } from './senml-dialects.ts';
import { encodeSenmlCbor, encodeSenmlJson, encodeSenmlPaths } from './senml-writer.ts';
import { decodeCbor, decodeOpaque, decodeText } from './single-value.ts';
import { encodeCbor, encodeOpaque, encodeText, onlyValue } from './single-value-writer.ts';
import { decodeTlv } from './tlv.ts';
import { encodeTlv } from './tlv-writer.ts';
import type { DecodeContext } from './typing.ts';
import { decodeUtf8 } from './utf8.ts';

export { ContentFormat, contentFormatName, currentContentFormat, isTextual } from './content-format.ts';
export type { CompositeValue, TimedValue } from './encoding.ts';

/** The maximum length of structured payloads; only the transport limits octets and texts. */
export const MAX_PAYLOAD = 8 * 1024 * 1024;

export interface DecodeRequest extends DecodeContext {
  readonly contentFormat: number;
  readonly payload: Uint8Array;
}

/**
 * Decodes a payload: the response to a Read or an Observe, a notification, a Send or a Write.
 * Throws only Lwm2mError, with the offset of the error: INVALID_PAYLOAD (malformed, or outside `path`), INVALID_VALUE
 * (wrong for the type of the resource), UNSUPPORTED_FORMAT, LIMIT. Takes linear time.
 *
 * An empty response (an object without instances, Core 1.2 §6.3.1) has no format: callers handle it themselves.
 */
export function decode(request: DecodeRequest): DecodedPayload {
  const { payload } = request;
  switch (structured(request)) {
    case ContentFormat.text:
      return decodeText(payload, request);
    case ContentFormat.opaque:
      return decodeOpaque(payload, request);
    case ContentFormat.cbor:
      return decodeCbor(payload, request);
    case ContentFormat.tlv:
      return decodeTlv(payload, request);
    case ContentFormat.lwm2mJson:
      return decodeLwm2mJson(payload, request);
    case ContentFormat.lwm2mCbor:
      return decodeLwm2mCbor(payload, request);
    default: {
      const { records, dialect } = readSenml(request);
      return decodeSenml(records, dialect, request);
    }
  }
}

/** Decodes a Write-Composite: values, and with ETCH or LwM2M CBOR the paths to delete. Throws like `decode`. */
export function decodeComposite(request: DecodeRequest): DecodedPayload & { readonly deleted: readonly Path[] } {
  if (structured(request) === ContentFormat.lwm2mCbor) return decodeLwm2mCborWrite(request.payload, request);
  const { records, dialect, etch } = readSenml(request);
  if (!etch) return { ...decodeSenml(records, dialect, request), deleted: [] };
  return decodeSenmlEtch(records, dialect, request);
}

/** Decodes the list of paths of a Read- or Observe-Composite. Throws like `decode`. */
export function decodePaths(request: DecodeRequest): readonly Path[] {
  const { records, dialect } = readSenml(request);
  return decodeSenmlPaths(records, dialect, request);
}

/** Decodes the links of a Register or a Discover. Throws INVALID_PAYLOAD and LIMIT. */
export function decodeLinks(payload: Uint8Array): readonly Link[] {
  structured({ contentFormat: ContentFormat.linkFormat, payload });
  return parseLinks(decodeUtf8(payload, 0));
}

/** Returns the registered number of the format. Throws LIMIT when a structured payload is too long. */
function structured({ contentFormat, payload }: { contentFormat: number; payload: Uint8Array }): number {
  const current = currentContentFormat(contentFormat);
  const plain = current === ContentFormat.text || current === ContentFormat.opaque;
  if (payload.length > MAX_PAYLOAD && !plain) {
    throw new Lwm2mError('LIMIT', `the payload has ${payload.length} bytes; the maximum is ${MAX_PAYLOAD}`, {
      offset: MAX_PAYLOAD,
    });
  }
  return current;
}

function readSenml(request: DecodeRequest): { records: Iterable<Item>; dialect: SenmlDialect; etch: boolean } {
  const { payload } = request;
  const format = structured(request);
  switch (format) {
    case ContentFormat.senmlJson:
    case ContentFormat.senmlEtchJson:
      return {
        records: readJsonArray(decodeUtf8(payload, 0)),
        dialect: SENML_JSON,
        etch: format === ContentFormat.senmlEtchJson,
      };
    case ContentFormat.senmlCbor:
    case ContentFormat.senmlEtchCbor:
      return { records: readCborArray(payload), dialect: SENML_CBOR, etch: format === ContentFormat.senmlEtchCbor };
    default:
      throw unsupported(request.contentFormat);
  }
}

export interface EncodeRequest {
  readonly contentFormat: number;
  /** The request path; `/` for a composite or a Send. */
  readonly path: Path;
  /** At or below `path`; with SenML at any path. */
  readonly values: readonly TimedValue[];
  /** Instances without resources and multiple resources without instances; only for TLV and LwM2M CBOR. */
  readonly empty?: readonly Path[];
}

/**
 * Encodes the payload of a Write or of a response. Throws Lwm2mError: INVALID_VALUE (not valid for its type),
 * INVALID_PATH (outside `path`, or not a resource), INVALID_ARGUMENT (a path twice), UNSUPPORTED_FORMAT (the format
 * can't carry it).
 */
export function encode(request: EncodeRequest): Uint8Array {
  const { path, values } = request;
  const contentFormat = currentContentFormat(request.contentFormat);
  const empty = request.empty ?? [];
  switch (contentFormat) {
    case ContentFormat.tlv:
      return encodeTlv(path, values, empty);
    case ContentFormat.lwm2mCbor:
      return encodeLwm2mCbor(path, values, empty);
    default:
      if (empty.length > 0) {
        throw new Lwm2mError(
          'UNSUPPORTED_FORMAT',
          `${contentFormatName(contentFormat)} can't carry the empty ${empty[0]}`,
        );
      }
  }
  switch (contentFormat) {
    case ContentFormat.text:
      return encodeText(onlyValue(contentFormat, path, values));
    case ContentFormat.opaque:
      return encodeOpaque(onlyValue(contentFormat, path, values));
    case ContentFormat.cbor:
      return encodeCbor(onlyValue(contentFormat, path, values));
    case ContentFormat.lwm2mJson:
      return encodeLwm2mJson(path, values);
    default:
      return encodeSenml(contentFormat, path, values);
  }
}

/** Encodes a Write-Composite; null deletes, in formats that support it. Throws like `encode`. */
export function encodeComposite(contentFormat: number, values: readonly CompositeValue[]): Uint8Array {
  const deletes = values.find(({ value }) => value === null);
  const plainSenml = contentFormat === ContentFormat.senmlJson || contentFormat === ContentFormat.senmlCbor;
  if (deletes !== undefined && plainSenml) {
    throw new Lwm2mError('UNSUPPORTED_FORMAT', `${contentFormatName(contentFormat)} can't delete ${deletes.path}`);
  }
  if (contentFormat === ContentFormat.lwm2mCbor) return encodeLwm2mCbor(Path.root, values, []);
  return encodeSenml(contentFormat, Path.root, values);
}

/** Encodes the list of paths of a Read- or Observe-Composite. Throws UNSUPPORTED_FORMAT and INVALID_ARGUMENT. */
export function encodePaths(contentFormat: number, paths: readonly Path[]): Uint8Array {
  switch (contentFormat) {
    case ContentFormat.senmlJson:
    case ContentFormat.senmlEtchJson:
      return encodeSenmlPaths(paths, 'json');
    case ContentFormat.senmlCbor:
    case ContentFormat.senmlEtchCbor:
      return encodeSenmlPaths(paths, 'cbor');
    default:
      throw unsupported(contentFormat);
  }
}

export interface NewInstance {
  readonly contentFormat: number;
  readonly objectId: number;
  /** Null: the device chooses the id; only TLV and LwM2M CBOR support that. */
  readonly instanceId: number | null;
  /** `resource` is a resource id, or a resource id and a resource instance id. */
  readonly values: readonly { readonly resource: readonly number[]; readonly value: TypedValue }[];
}

/** Encodes the payload of a Create, sent to `/{objectId}` (Core 1.2 §6.3.6). Throws like `encode`. */
export function encodeNewInstance({ contentFormat, objectId, instanceId, values }: NewInstance): Uint8Array {
  const instance = Path.of(objectId, instanceId ?? 0);
  const placed = values.map(({ resource, value }) => ({ path: Path.of(...instance.ids, ...resource), value }));
  const empty = values.length === 0 && instanceId !== null ? [instance] : [];
  if (instanceId !== null) return encode({ contentFormat, path: Path.of(objectId), values: placed, empty });
  if (contentFormat === ContentFormat.tlv) return encodeTlv(instance, placed, []);
  if (contentFormat === ContentFormat.lwm2mCbor) return encodeLwm2mCborResources(placed);
  throw new Lwm2mError(
    'UNSUPPORTED_FORMAT',
    `${contentFormatName(contentFormat)} can't carry a Create without an instance id`,
  );
}

function encodeSenml(contentFormat: number, path: Path, values: readonly CompositeValue[]): Uint8Array {
  switch (contentFormat) {
    case ContentFormat.senmlJson:
    case ContentFormat.senmlEtchJson:
      return encodeSenmlJson(path, values);
    case ContentFormat.senmlCbor:
    case ContentFormat.senmlEtchCbor:
      return encodeSenmlCbor(path, values);
    default:
      throw unsupported(contentFormat);
  }
}

function unsupported(contentFormat: number): Lwm2mError {
  return new Lwm2mError('UNSUPPORTED_FORMAT', `${contentFormatName(contentFormat)} is not supported here`);
}
