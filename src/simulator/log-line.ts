import { ContentFormat, contentFormatName, decodePaths, isTextual, Path } from '../lwm2m/index.ts';
import type { CoapRequest, CoapResponse } from './coap-message.ts';
import type { DeviceState } from './device-state.ts';
import { decoding } from './writing.ts';

const LONGEST = 120;

/** Describes a request and its response in one line: `read /3303/0/5700 → 2.05 text/plain "21.5"`. */
export function describeRequest(state: DeviceState, request: CoapRequest, response: CoapResponse): string {
  const asked = [verb(request), place(state, request), argument(request)].filter((word) => word !== '').join(' ');
  return `${asked} → ${response.code}${body(response.contentFormat ?? null, response.payload)}`;
}

function verb({ method, accept, observe, payload, contentFormat, query, path }: CoapRequest): string {
  if (observe === 0) return 'observe';
  if (observe === 1) return 'cancel observation of';
  switch (method) {
    case 'GET':
      return accept === ContentFormat.linkFormat ? 'discover' : 'read';
    case 'FETCH':
      return 'read';
    case 'PUT':
      return payload.length === 0 && contentFormat === null && query.length > 0 ? 'write attributes of' : 'replace';
    case 'POST':
      if (path.length === 1) return 'create in';
      return path.length === 3 && (contentFormat ?? 0) === 0 ? 'execute' : 'write';
    case 'DELETE':
      return 'delete';
    default:
      return 'write';
  }
}

function place(state: DeviceState, request: CoapRequest): string {
  if (request.method === 'iPATCH') return 'several';
  if (request.method !== 'FETCH') return `/${request.path.join('/')}`;
  try {
    return decodePaths(decoding(state, Path.root, request)).join(' ');
  } catch {
    return 'paths that can’t be decoded';
  }
}

function argument({ query, contentFormat, payload, method }: CoapRequest): string {
  const carried = method === 'FETCH' || payload.length === 0 ? '' : body(contentFormat, payload).trimStart();
  return [query.join(' '), carried].filter((word) => word !== '').join(' ');
}

function body(contentFormat: number | null, payload: Uint8Array = new Uint8Array()): string {
  if (payload.length === 0) return '';
  const named = contentFormat === null ? '' : ` ${contentFormatName(contentFormat)}`;
  if (contentFormat !== null && !isTextual(contentFormat)) return `${named} ${payload.length} bytes`;
  const text = JSON.stringify(Buffer.from(payload).toString());
  return `${named} ${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}`;
}
