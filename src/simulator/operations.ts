import {
  ContentFormat,
  currentContentFormat,
  decodePaths,
  parseAttributes,
  parseExecuteArguments,
  Path,
} from '../lwm2m/index.ts';
import type { ExecuteArguments, NotificationAttributes } from '../lwm2m/index.ts';
import type { CoapRequest, CoapResponse } from './coap-message.ts';
import { checkInstance, checkPlace, definitionAt, isExecutable } from './device-state.ts';
import type { DeviceState } from './device-state.ts';
import { discover } from './discover.ts';
import { create, remove } from './instances.ts';
import type { ObservationRequest } from './observations.ts';
import { explicitVersion } from './objects.ts';
import { read, readComposite } from './reading.ts';
import { badRequest, notAllowed, notFound } from './refusal.ts';
import { decoding, refusing, write, writeComposite } from './writing.ts';

/** The name of an operation in the log. */
export type OperationName =
  | 'read'
  | 'discover'
  | 'write'
  | 'write-attributes'
  | 'execute'
  | 'create'
  | 'delete'
  | 'read-composite'
  | 'write-composite';

export interface Answered {
  readonly operation: OperationName;
  /** The paths of the operation; several for a composite operation. */
  readonly paths: readonly Path[];
  readonly response: CoapResponse;
}

/** Executes a resource. Throws a Refusal. */
export type Execute = (path: Path, args: ExecuteArguments) => void;

const NOTHING: CoapResponse = { code: '2.04' };

/** Carries out a device management request (Core 1.2 §6.3, table of Transport 1.2 §6.4.2). Throws a Refusal. */
export function perform(state: DeviceState, request: CoapRequest, execute: Execute): Answered {
  return refusing(() => dispatch(state, request, execute));
}

function dispatch(state: DeviceState, request: CoapRequest, execute: Execute): Answered {
  const path = Path.parse(`/${request.path.join('/')}`);
  switch (request.method) {
    case 'GET':
      return get(state, path, request);
    case 'PUT':
      if (request.payload.length === 0 && request.contentFormat === null && request.query.length > 0) {
        return writeAttributes(state, path, request);
      }
      if (path.level === 'root' || path.level === 'object') throw notAllowed(`${path} can't be written`);
      return answered('write', path, write(state, path, request, 'replace'));
    case 'POST':
      return post(state, path, request, execute);
    case 'DELETE':
      return answered('delete', path, remove(state, path));
    case 'FETCH':
      return fetch(state, path, request);
    case 'iPATCH':
      checkSince11(state, path);
      return answered('write-composite', path, writeComposite(state, request, path));
    default:
      throw notAllowed(`the method ${request.method} is not supported`);
  }
}

function get(state: DeviceState, path: Path, { accept, query }: CoapRequest): Answered {
  if (path.level === 'root') throw notAllowed('/ can only be read with Read-Composite');
  if (accept !== ContentFormat.linkFormat) return answered('read', path, read(state, path, accept));
  checkPlace(state, path);
  const links = discover(path, query, {
    tree: state.tree,
    attributes: state.attributes,
    versionOf: (objectId) => {
      const object = state.objects.get(objectId);
      return object === undefined ? null : explicitVersion(state.lwm2m, object.definition);
    },
    executablesOf: (objectId) => state.objects.get(objectId)?.executables ?? new Set(),
  });
  const payload = Buffer.from(links);
  return answered('discover', path, { code: '2.05', contentFormat: ContentFormat.linkFormat, payload });
}

/** POST creates at an object, writes at an instance and executes at a resource; with a structured payload it writes. */
function post(state: DeviceState, path: Path, request: CoapRequest, execute: Execute): Answered {
  if (path.objectId === null) throw notAllowed('POST to / is not supported');
  if (path.level === 'object') return answered('create', path, create(state, path.objectId, request));
  const { contentFormat } = request;
  const text = contentFormat === null || currentContentFormat(contentFormat) === ContentFormat.text;
  if (path.level === 'resource' && text) {
    checkInstance(state, path);
    if (definitionAt(state, path) === undefined) throw notFound(`resource ${path} does not exist`);
    if (!isExecutable(state, path)) throw notAllowed(`${path} can't be executed`);
    const args = parseExecuteArguments(Buffer.from(request.payload).toString());
    execute(path, args);
    return answered('execute', path, NOTHING);
  }
  return answered('write', path, write(state, path, request, 'update'));
}

function writeAttributes(state: DeviceState, path: Path, { query }: CoapRequest): Answered {
  checkPlace(state, path);
  state.attributes.write(path, parseAttributes(query), definitionAt(state, path)?.type);
  return answered('write-attributes', path, NOTHING);
}

function fetch(state: DeviceState, path: Path, request: CoapRequest): Answered {
  checkSince11(state, path);
  const paths = compositePaths(state, request);
  const response = readComposite(state, paths, path, compositeAccept(request));
  return { operation: 'read-composite', paths, response };
}

/** Decodes the paths of a Read-Composite or Observe-Composite. */
export function compositePaths(state: DeviceState, request: CoapRequest): readonly Path[] {
  return decodePaths(decoding(state, Path.root, request));
}

/** Parses an Observe or Observe-Composite (Core 1.2 §6.4.2). Throws a Refusal. */
export function observationRequest(state: DeviceState, request: CoapRequest): Omit<ObservationRequest, 'subscriber'> {
  return refusing(() => {
    const path = Path.parse(`/${request.path.join('/')}`);
    const attributes = requestAttributes(state, request);
    if (request.method !== 'FETCH') {
      const read = (): CoapResponse => get(state, path, request).response;
      return { token: request.token, paths: [path], composite: false, attributes, read };
    }
    checkSince11(state, path);
    const paths = compositePaths(state, request);
    const read = (): CoapResponse => readComposite(state, paths, path, compositeAccept(request));
    return { token: request.token, paths, composite: true, attributes, read };
  });
}

/** Core 1.2 §6.4.2: since 1.2, an Observe may contain attributes. */
function requestAttributes({ lwm2m }: DeviceState, { query }: CoapRequest): NotificationAttributes | null {
  if (query.length === 0) return null;
  if (lwm2m !== '1.2')
    throw badRequest(`an Observe may contain attributes only since LwM2M 1.2; this device uses ${lwm2m}`);
  return parseAttributes(query);
}

/** Without Accept, the response has the format of the request, without ETCH. */
export function compositeAccept({ accept, contentFormat }: CoapRequest): number {
  if (accept !== null) return accept;
  return contentFormat === ContentFormat.senmlJson || contentFormat === ContentFormat.senmlEtchJson
    ? ContentFormat.senmlJson
    : ContentFormat.senmlCbor;
}

function checkSince11({ lwm2m }: DeviceState, path: Path): void {
  if (lwm2m === '1.0') throw notAllowed('LwM2M 1.0 has no composite operations');
  if (path.level !== 'root') throw badRequest('a composite operation must have no Uri-Path');
}

function answered(operation: OperationName, path: Path, response: CoapResponse): Answered {
  return { operation, paths: [path], response };
}
