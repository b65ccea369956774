import { codes, formatCode, isSuccess, type IncomingResponse } from '../../coap/index.ts';
import { ContentFormat, contentFormatName, currentContentFormat, decode, decodeLinks } from '../codec/index.ts';
import { Lwm2mError } from '../error.ts';
import type { Link } from '../link-format.ts';
import type { ObjectModel } from '../model/definition.ts';
import { definitionAt, versionOf } from './content-format-choice.ts';
import type { Operation, OperationResult } from './operation.ts';
import { Path } from '../path.ts';
import type { Registration } from '../registration/registration.ts';
import type { DecodedPayload, OutsideValue, Reading, TypedValue } from '../value.ts';

/** The maximum length of a diagnostic message in a result, in characters. */
const LONGEST_MESSAGE = 256;
const CONTROL_CHARACTERS = /\p{Cc}+/gu;

const NOTHING: DecodedPayload = { readings: [], empty: [] };

/** The request and the device, which the decoder needs to interpret a payload. */
export interface AnswerContext {
  readonly registration: Registration;
  readonly model: ObjectModel;
  readonly paths: readonly Path[];
  /** The content format to assume for a payload without the Content-Format option. */
  readonly expected: number | null;
  /** Milliseconds since the Unix epoch. */
  readonly receivedAt: number;
}

/** Decodes the response to a Read or an Observe, or a notification, in any format. Throws like the codecs. */
export function decodeAnswer(
  payload: { readonly contentFormat: number | null; readonly payload: Uint8Array },
  { registration, model, paths, expected, receivedAt }: AnswerContext,
): DecodedPayload {
  const [first = Path.root, ...more] = paths;
  const path = more.length === 0 ? first : Path.root;
  const plainWanted = path.resourceId === null ? null : ContentFormat.text;
  const contentFormat = payload.contentFormat ?? expected ?? plainWanted;
  const one = paths.length === 1 && isOneValue(path, registration, model);
  const isAssumed = payload.contentFormat === null;
  if (payload.payload.length === 0 && (isAssumed || !isPlain(contentFormat))) {
    if (one) throw new Lwm2mError('INVALID_PAYLOAD', `the response has no payload, but ${path} needs a value`);
    return emptyAnswer(path);
  }
  if (contentFormat === null)
    throw new Lwm2mError('INVALID_PAYLOAD', 'the response has no Content-Format, and none can be assumed');
  let decoded: DecodedPayload;
  try {
    decoded = decode({
      contentFormat,
      payload: payload.payload,
      path,
      model,
      versionOf: (objectId) => versionOf(registration, objectId),
      rootPath: registration.rootPath,
      now: receivedAt / 1000,
      keepOutside: true,
    });
  } catch (error) {
    if (!isAssumed || !(error instanceof Lwm2mError)) throw error;
    const message = `the response has no Content-Format; read as ${contentFormatName(contentFormat)}: ${error.message}`;
    throw new Lwm2mError(error.code, message, { cause: error, offset: error.offset ?? undefined });
  }
  const wanted = setAside(decoded, paths);
  if (one && wanted.readings.length === 0) {
    const others = wanted.outside?.[0] ? `; it has ${wanted.outside[0].path}` : '';
    throw new Lwm2mError('INVALID_PAYLOAD', `the response has no value for ${path}${others}`);
  }
  return wanted;
}

/** One rule for all formats: paths at or below the requested ones count, all others are set aside with the reason. */
function setAside(decoded: DecodedPayload, paths: readonly Path[]): DecodedPayload {
  const isWanted = (path: Path): boolean => paths.some((wanted) => wanted.contains(path));
  const readings: Reading[] = [];
  const empty: Path[] = [];
  const outside: OutsideValue[] = [];
  const reason = `not at or below ${paths.join(' ')}, which was requested`;
  for (const reading of decoded.readings) {
    if (isWanted(reading.path)) readings.push(reading);
    else outside.push({ path: reading.path, reason });
  }
  for (const path of decoded.empty) {
    if (isWanted(path)) empty.push(path);
    else outside.push({ path, reason });
  }
  return outside.length === 0 ? decoded : { readings, empty, outside };
}

/** Describes the values that were set aside: `/3/0/8: not at or below /3/0/9…`; null when there are none. */
export function outsideReason({ outside = [] }: DecodedPayload): { path: string; reason: string } | null {
  const [first] = outside;
  if (!first) return null;
  const more = outside.length > 1 ? ` (and ${outside.length - 1} more)` : '';
  return { path: String(first.path), reason: `${first.path} is ${first.reason}${more}: it was set aside` };
}

/** True for a path that has exactly one value: a response without it is no answer. A multiple resource may be empty. */
function isOneValue(path: Path, registration: Registration, model: ObjectModel): boolean {
  if (path.level === 'resource-instance') return true;
  return path.level === 'resource' && definitionAt(path, registration, model)?.multiple !== true;
}

/**
 * Core 1.2 §6.3.1: the response is empty for an object without instances and an instance without readable resources.
 */
function emptyAnswer(path: Path): DecodedPayload {
  return path.instanceId === null ? NOTHING : { readings: [], empty: [path] };
}

/** True for formats in which an empty payload is a value: an empty string, or zero octets. */
function isPlain(contentFormat: number | null): boolean {
  const current = contentFormat === null ? null : currentContentFormat(contentFormat);
  return current === ContentFormat.text || current === ContentFormat.opaque;
}

/** Parses the links of a Discover and removes the alternate path. Throws INVALID_PAYLOAD and LIMIT. */
export function discoveredLinks(payload: Uint8Array, { rootPath }: Registration): readonly Link[] {
  if (rootPath === '/') return decodeLinks(payload);
  return decodeLinks(payload).map((link) =>
    link.uri.startsWith(`${rootPath}/`) ? { ...link, uri: link.uri.slice(rootPath.length) } : link,
  );
}

/** True for 2.05 Content; other success codes bring no values. */
export function hasContent({ code }: IncomingResponse): boolean {
  return code === codes.content;
}

/** The result with the code and the diagnostic message of a response, without its values. */
export function resultOf(response: IncomingResponse): OperationResult {
  const ok = isSuccess(response.code);
  return {
    ok,
    code: formatCode(response.code),
    message: ok ? null : diagnosticMessage(response),
    contentFormat: response.contentFormat,
    decoded: null,
    links: null,
    createdInstanceId: null,
    maxAge: response.maxAge,
  };
}

/** A diagnostic payload is UTF-8 text without a Content-Format (RFC 7252 §5.5.2), but a device may send any bytes. */
function diagnosticMessage({ contentFormat, payload }: IncomingResponse): string | null {
  if (contentFormat !== null && currentContentFormat(contentFormat) !== ContentFormat.text) return null;
  // A character has at most four bytes.
  const text = new TextDecoder().decode(payload.subarray(0, 4 * LONGEST_MESSAGE)).replace(CONTROL_CHARACTERS, ' ');
  return text.trim().slice(0, LONGEST_MESSAGE) || null;
}

/** Reads the new instance id from the Location-Path of a Create; null when it names no instance of the object. */
export function createdInstanceId(location: readonly string[], objectId: number): number | null {
  const [object, instance] = location.slice(-2);
  if (object !== String(objectId) || instance === undefined || !/^\d{1,5}$/.test(instance)) return null;
  const id = Number(instance);
  return id <= 65534 ? id : null;
}

/** The values after a successful Write, Create or Delete. Below `scope` no other values exist. */
export interface Written {
  readonly scope: readonly Path[];
  readonly decoded: DecodedPayload;
}

/**
 * Derives the changed values from an operation that the device accepted. It leaves out values of resources that can't
 * be read, such as secrets and firmware images. Null when no value changed.
 */
export function writtenBy(
  operation: Operation,
  createdInstance: number | null,
  registration: Registration,
  model: ObjectModel,
): Written | null {
  const known = (values: readonly { path: Path; value: TypedValue }[]): Reading[] =>
    values.flatMap(({ path, value }) => {
      const definition = definitionAt(path, registration, model);
      return definition?.operations === 'W' ? [] : [{ ...value, path, time: null }];
    });
  switch (operation.kind) {
    case 'write': {
      const { path, values, mode } = operation;
      const readings = known(values);
      // Replacing a multiple resource deletes the instances that are not given (Core 1.2 §6.3.3); replacing an instance
      // keeps the resources that only the device can write.
      const resources = path.level === 'instance' ? values.map((value) => value.path.cut(3)) : [path];
      const scope = mode === 'replace' ? distinct(resources) : [];
      const empty = mode === 'replace' && values.length === 0 && path.level === 'resource' ? [path] : [];
      return { scope, decoded: { readings, empty } };
    }
    case 'write-composite': {
      const written = operation.values.flatMap(({ path, value }) => (value === null ? [] : [{ path, value }]));
      const deleted = operation.values.flatMap(({ path, value }) => (value === null ? [path] : []));
      return { scope: deleted, decoded: { readings: known(written), empty: [] } };
    }
    case 'create': {
      if (createdInstance === null) return null;
      const instance = Path.of(operation.objectId, createdInstance);
      const values = operation.values.map(({ resource, value }) => ({
        path: Path.of(...instance.ids, ...resource),
        value,
      }));
      // A device ignores values of resources that a server can't write (Core 1.2 §6.3.6).
      const taken = values.filter(({ path }) => definitionAt(path, registration, model)?.operations !== 'R');
      const readings = known(taken);
      return { scope: [instance], decoded: { readings, empty: readings.length === 0 ? [instance] : [] } };
    }
    case 'delete':
      return { scope: [operation.path], decoded: NOTHING };
    default:
      return null;
  }
}

function distinct(paths: readonly Path[]): Path[] {
  return [...new Map(paths.map((path) => [String(path), path])).values()];
}
