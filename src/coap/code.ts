import type { Code, Method } from './endpoint.ts';

/** The codes of RFC 7252 §12.1, RFC 7959 §2.9, RFC 8132 §6 and RFC 8516, with their names in the IANA registry. */
export const codes = {
  empty: 0x00,
  created: 0x41,
  deleted: 0x42,
  valid: 0x43,
  changed: 0x44,
  content: 0x45,
  continue: 0x5f,
  badRequest: 0x80,
  unauthorized: 0x81,
  badOption: 0x82,
  forbidden: 0x83,
  notFound: 0x84,
  methodNotAllowed: 0x85,
  notAcceptable: 0x86,
  requestEntityIncomplete: 0x88,
  conflict: 0x89,
  preconditionFailed: 0x8c,
  requestEntityTooLarge: 0x8d,
  unsupportedContentFormat: 0x8f,
  unprocessableEntity: 0x96,
  tooManyRequests: 0x9d,
  internalServerError: 0xa0,
  notImplemented: 0xa1,
  badGateway: 0xa2,
  serviceUnavailable: 0xa3,
  gatewayTimeout: 0xa4,
  proxyingNotSupported: 0xa5,
} as const satisfies Record<string, Code>;

const NAMES: ReadonlyMap<Code, string> = new Map(
  Object.entries(codes).map(([name, code]) => [
    code,
    name.replace(/[A-Z]/g, ' $&').replace(/^./, (first) => first.toUpperCase()),
  ]),
);

const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH'];

/** `0x45` → `2.05`. */
export function formatCode(code: Code): string {
  return `${code >> 5}.${String(code & 0x1f).padStart(2, '0')}`;
}

/** `0x84` → `Not Found`; null for an unregistered code. */
export function codeName(code: Code): string | null {
  return NAMES.get(code) ?? null;
}

/** RFC 7252 §3: 0 is a request, 2 success, 4 client error, 5 server error. */
export function codeClass(code: Code): number {
  return code >> 5;
}

export function isSuccess(code: Code): boolean {
  return code >> 5 === 2;
}

/** Null for a method that is not registered. */
export function methodOf(code: Code): Method | null {
  return METHODS[code - 1] ?? null;
}

export function methodCode(method: Method): Code {
  return METHODS.indexOf(method) + 1;
}
