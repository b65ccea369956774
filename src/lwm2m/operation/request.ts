import type { OutgoingRequest } from '../../coap/index.ts';
import { formatAttributes } from '../attributes.ts';
import { ContentFormat, encode, encodeComposite, encodeNewInstance, encodePaths } from '../codec/index.ts';
import { Lwm2mError } from '../error.ts';
import { checkOperation } from './check.ts';
import { formatExecuteArguments } from './execute-arguments.ts';
import type { ObjectModel } from '../model/definition.ts';
import {
  compositeAnswerFormat,
  createFormats,
  definitionAt,
  pathListFormat,
  readCompositeFormats,
  readFormats,
  writeCompositeFormats,
  writeFormats,
} from './content-format-choice.ts';
import type { NotificationAttributes, Operation } from './operation.ts';
import { Path } from '../path.ts';
import type { Registration } from '../registration/registration.ts';
import { formatUse, refusedLast, type FormatUse } from './refused-formats.ts';

/** The request of an operation in one content format. */
export interface RequestVariant {
  readonly request: OutgoingRequest;
  /** The format to assume for a response without the Content-Format option; null without an Accept option. */
  readonly expected: number | null;
  /** The format that the device may refuse, with 4.06 or 4.15. */
  readonly use: FormatUse;
}

/** A request that is encoded when it is needed. */
interface Candidate {
  readonly use: FormatUse;
  readonly make: () => Omit<RequestVariant, 'use'>;
}

/** The operations that have a request of their own. */
export type RequestOperation = Exclude<Operation, { kind: 'cancel-observation' }>;

/**
 * Generates the request of an operation in each suitable content format, the best first, those in `refused` last; the
 * next is for a device that refuses the previous one. Each is encoded on demand, because it may contain a firmware image.
 * Throws INVALID_ARGUMENT with the value when no format can carry the operation.
 */
export function requestVariants(
  operation: RequestOperation,
  registration: Registration,
  model: ObjectModel,
  refused: ReadonlySet<FormatUse> | null = null,
): Generator<RequestVariant, void> {
  return encodable(refusedLast(candidates(operation, registration, model), refused));
}

/**
 * Throws INVALID_ARGUMENT, with the invalid argument where one is known, when the operation can't be sent to a device
 * with this registration: its LwM2M version lacks a part of it, or no content format can carry it.
 */
export function checkRequest(operation: Operation, registration: Registration, model: ObjectModel): void {
  checkOperation(operation, registration.lwm2mVersion);
  if (operation.kind !== 'cancel-observation') requestVariants(operation, registration, model).next();
}

/** Skips formats that can't carry the operation; throws INVALID_ARGUMENT when none can. */
function* encodable(candidates: Iterable<Candidate>): Generator<RequestVariant, void> {
  let refusal: unknown;
  let found = false;
  for (const { use, make } of candidates) {
    let variant: RequestVariant;
    try {
      variant = { ...make(), use };
    } catch (error) {
      refusal ??= error;
      continue;
    }
    found = true;
    yield variant;
  }
  if (found || !(refusal instanceof Lwm2mError)) return;
  throw new Lwm2mError('INVALID_ARGUMENT', refusal.message, { cause: refusal });
}

function candidates(operation: RequestOperation, registration: Registration, model: ObjectModel): readonly Candidate[] {
  const at = (path: Path): readonly string[] => [...rootSegments(registration), ...path.segments()];
  switch (operation.kind) {
    case 'read':
      return acceptsOf(operation, registration, model).map((accept) => ({
        use: formatUse('GET', operation.path, accept),
        make: () => requestOf({ method: 'GET', path: at(operation.path), ...acceptOption(accept) }, accept),
      }));
    case 'read-composite':
      return compositeReads(operation, registration, []);
    case 'observe': {
      const { paths, attributes } = operation;
      const query = attributes ? attributesQuery(attributes, paths, registration, model) : [];
      const [path] = paths;
      if (path === undefined || paths.length > 1) return compositeReads(operation, registration, query);
      return acceptsOf({ path, contentFormat: operation.contentFormat }, registration, model).map((accept) => ({
        use: formatUse('GET', path, accept),
        make: () => requestOf({ method: 'GET', path: at(path), query, ...acceptOption(accept) }, accept),
      }));
    }
    case 'write': {
      const { path, values, mode } = operation;
      // Without values, a Write empties a multiple resource, or removes the optional resources of an instance.
      const empty = values.length === 0 ? [path] : [];
      const method = mode === 'replace' ? 'PUT' : 'POST';
      return formatsOf(operation, () => writeFormats(operation, registration)).map((contentFormat) => ({
        use: formatUse(method, path, contentFormat),
        make: () => {
          const payload = encode({ contentFormat, path, values, empty });
          return requestOf({ method, path: at(path), contentFormat, payload });
        },
      }));
    }
    case 'write-composite': {
      const { values } = operation;
      const deletes = values.some(({ value }) => value === null);
      return formatsOf(operation, () => writeCompositeFormats(registration, deletes)).map((contentFormat) => ({
        use: formatUse('iPATCH', null, contentFormat),
        make: () => {
          const payload = encodeComposite(contentFormat, values);
          return requestOf({ method: 'iPATCH', path: rootSegments(registration), contentFormat, payload });
        },
      }));
    }
    case 'create': {
      const { objectId, instanceId, values } = operation;
      const path = [...rootSegments(registration), String(objectId)];
      return formatsOf(operation, () => createFormats(operation, registration)).map((contentFormat) => ({
        use: formatUse('POST', Path.of(objectId), contentFormat),
        make: () => {
          const payload = encodeNewInstance({ contentFormat, objectId, instanceId, values });
          return requestOf({ method: 'POST', path, contentFormat, payload });
        },
      }));
    }
    case 'execute': {
      const text = formatExecuteArguments(operation.arguments);
      const carried = text === '' ? {} : { contentFormat: ContentFormat.text, payload: new TextEncoder().encode(text) };
      return only({ method: 'POST', path: at(operation.path), ...carried });
    }
    case 'delete':
      return only({ method: 'DELETE', path: at(operation.path) });
    case 'discover': {
      const { path, depth } = operation;
      const query = depth === undefined ? [] : [`depth=${depth}`];
      const accept = ContentFormat.linkFormat;
      return only({ method: 'GET', path: at(path), query, accept }, accept);
    }
    case 'write-attributes': {
      const query = attributesQuery(operation.attributes, [operation.path], registration, model);
      if (query.length === 0) throw new Lwm2mError('INVALID_ARGUMENT', 'the Write-Attributes has no attribute');
      return only({ method: 'PUT', path: at(operation.path), query });
    }
  }
}

/** Core 1.2 §6.3.8: the payload contains the paths; the Uri-Path contains only the alternate path. */
function compositeReads(
  operation: { readonly paths: readonly Path[]; readonly contentFormat?: number | null | undefined },
  registration: Registration,
  query: readonly string[],
): readonly Candidate[] {
  const given = operation.contentFormat ?? null;
  const formats =
    given === null
      ? readCompositeFormats(registration)
      : [{ body: pathListFormat(given), accept: compositeAnswerFormat(given) }];
  return formats.map(({ body, accept }) => ({
    use: formatUse('FETCH', null, accept),
    make: () => {
      const payload = encodePaths(body, operation.paths);
      const path = rootSegments(registration);
      return requestOf({ method: 'FETCH', path, query, contentFormat: body, accept, payload }, accept);
    },
  }));
}

/** Rebuilds the request that started an observation in an earlier run of the server. */
export function observeRequest(
  observed: { readonly paths: readonly Path[]; readonly attributes?: NotificationAttributes | undefined },
  contentFormat: number | null,
  registration: Registration,
  model: ObjectModel,
): RequestVariant | undefined {
  const { paths, attributes } = observed;
  const operation = { kind: 'observe' as const, paths, contentFormat, ...(attributes && { attributes }) };
  const first = requestVariants(operation, registration, model).next();
  return first.done === true ? undefined : first.value;
}

function requestOf(request: OutgoingRequest, expected: number | null = null): Omit<RequestVariant, 'use'> {
  return { request, expected };
}

/** The candidates of an operation without a choice of formats. */
function only(request: OutgoingRequest, expected: number | null = null): readonly Candidate[] {
  return [{ use: formatUse(request.method, null, expected), make: () => requestOf(request, expected) }];
}

function acceptOption(accept: number | null): { accept?: number } {
  return accept === null ? {} : { accept };
}

function acceptsOf(
  { path, contentFormat }: { path: Path; contentFormat?: number | null | undefined },
  registration: Registration,
  model: ObjectModel,
): readonly (number | null)[] {
  return contentFormat === undefined ? readFormats(path, registration, model) : [contentFormat];
}

/** The format of the caller alone, or without it the formats that suit the device. */
function formatsOf(
  { contentFormat }: { readonly contentFormat?: number | undefined },
  suiting: () => readonly number[],
): readonly number[] {
  return contentFormat === undefined ? suiting() : [contentFormat];
}

function attributesQuery(
  attributes: NotificationAttributes,
  paths: readonly Path[],
  registration: Registration,
  model: ObjectModel,
): readonly string[] {
  const [path] = paths;
  const definition = path === undefined || paths.length > 1 ? undefined : definitionAt(path, registration, model);
  const isExecutable = definition?.operations === 'E';
  const type = isExecutable ? null : (definition?.type ?? undefined);
  return formatAttributes(attributes, { paths, lwm2mVersion: registration.lwm2mVersion, type });
}

/** The segments of the alternate path, which precede every device-management path (Core 1.2 §6.4.1). */
function rootSegments({ rootPath }: Registration): readonly string[] {
  return rootPath.split('/').filter((segment) => segment !== '');
}
