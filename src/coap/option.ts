import { isUtf8 } from 'node:buffer';
import { copyOf, NO_BYTES, type MessageOption } from './message.ts';

/** Option numbers (RFC 7252 §12.2, 7641, 7959, 7967, 8613, 8768, 9175). Odd numbers are critical. */
export const optionNumbers = {
  ifMatch: 1,
  uriHost: 3,
  etag: 4,
  ifNoneMatch: 5,
  observe: 6,
  uriPort: 7,
  locationPath: 8,
  oscore: 9,
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  hopLimit: 16,
  accept: 17,
  locationQuery: 20,
  block2: 23,
  block1: 27,
  size2: 28,
  proxyUri: 35,
  proxyScheme: 39,
  size1: 60,
  echo: 252,
  noResponse: 258,
  requestTag: 292,
} as const;

/** The request options that this endpoint processes. `readBlock` reads the values of the block options. */
export interface RequestOptions {
  readonly path: readonly string[];
  readonly query: readonly string[];
  readonly contentFormat: number | null;
  readonly accept: number | null;
  readonly observe: number | null;
  readonly block1: number | null;
  readonly block2: number | null;
  readonly size1: number | null;
  /** A copy; null when absent, which differs from empty (RFC 9175 §3.2). */
  readonly requestTag: Uint8Array | null;
  /** RFC 7967: the bits of the response classes that the client does not want. */
  readonly noResponse: number;
  readonly proxied: boolean;
}

export interface ResponseOptions {
  readonly contentFormat: number | null;
  readonly locationPath: readonly string[];
  readonly maxAge: number | null;
  readonly observe: number | null;
  readonly block1: number | null;
  readonly block2: number | null;
  readonly size2: number | null;
  /** A copy. */
  readonly etag: Uint8Array | null;
}

/** The number of an unrecognized critical option (RFC 7252 §5.4.1). */
export interface UnrecognizedOption {
  readonly unrecognized: number;
}

const NO_SEGMENTS: readonly string[] = [];

export function readRequestOptions(options: readonly MessageOption[]): RequestOptions | UnrecognizedOption {
  let path: string[] | null = null;
  let query: string[] | null = null;
  let contentFormat: number | null = null;
  let accept: number | null = null;
  let observe: number | null = null;
  let block1: number | null = null;
  let block2: number | null = null;
  let size1: number | null = null;
  let requestTag: Uint8Array | null = null;
  let noResponse = 0;
  let proxied = false;
  let previous = 0;
  for (const { number, value } of options) {
    // RFC 7252 §5.4.3 and §5.4.5: an option with a wrong length, or repeated where that is not allowed, is
    // unrecognized.
    if (!hasDefinedLength(number, value.length) || (number === previous && !isRepeatable(number))) {
      if (isCritical(number)) return { unrecognized: number };
      continue;
    }
    previous = number;
    switch (number) {
      case optionNumbers.uriPath: {
        const segment = readString(value);
        if (segment === null) return { unrecognized: number };
        (path ??= []).push(segment);
        break;
      }
      case optionNumbers.uriQuery: {
        const argument = readString(value);
        if (argument === null) return { unrecognized: number };
        (query ??= []).push(argument);
        break;
      }
      case optionNumbers.contentFormat:
        contentFormat = readUint(value);
        break;
      case optionNumbers.accept:
        accept = readUint(value);
        break;
      case optionNumbers.observe:
        observe = readUint(value);
        break;
      case optionNumbers.block1:
        block1 = readUint(value);
        break;
      case optionNumbers.block2:
        block2 = readUint(value);
        break;
      case optionNumbers.size1:
        size1 = readUint(value);
        break;
      case optionNumbers.requestTag:
        requestTag ??= copyOf(value);
        break;
      case optionNumbers.noResponse:
        noResponse = readUint(value);
        break;
      case optionNumbers.proxyUri:
      case optionNumbers.proxyScheme:
        proxied = true;
        break;
      case optionNumbers.uriHost:
      case optionNumbers.uriPort:
        // There is one virtual host, so the host and port in the request do not matter.
        break;
      default:
        // These include If-Match, If-None-Match and OSCORE: this endpoint does not implement the condition or
        // protection, and must not ignore it.
        if (isCritical(number)) return { unrecognized: number };
    }
  }
  return {
    path: path ?? NO_SEGMENTS,
    query: query ?? NO_SEGMENTS,
    contentFormat,
    accept,
    observe,
    block1,
    block2,
    size1,
    requestTag,
    noResponse,
    proxied,
  };
}

export function readResponseOptions(options: readonly MessageOption[]): ResponseOptions | UnrecognizedOption {
  let contentFormat: number | null = null;
  let locationPath: string[] | null = null;
  let maxAge: number | null = null;
  let observe: number | null = null;
  let block1: number | null = null;
  let block2: number | null = null;
  let size2: number | null = null;
  let etag: Uint8Array | null = null;
  let previous = 0;
  for (const { number, value } of options) {
    if (!hasDefinedLength(number, value.length) || (number === previous && !isRepeatable(number))) {
      if (isCritical(number)) return { unrecognized: number };
      continue;
    }
    previous = number;
    switch (number) {
      case optionNumbers.contentFormat:
        contentFormat = readUint(value);
        break;
      case optionNumbers.locationPath: {
        const segment = readString(value);
        if (segment !== null) (locationPath ??= []).push(segment);
        break;
      }
      case optionNumbers.maxAge:
        maxAge = readUint(value);
        break;
      case optionNumbers.observe:
        observe = readUint(value);
        break;
      case optionNumbers.block1:
        block1 = readUint(value);
        break;
      case optionNumbers.block2:
        block2 = readUint(value);
        break;
      case optionNumbers.size2:
        size2 = readUint(value);
        break;
      case optionNumbers.etag:
        etag ??= copyOf(value);
        break;
      default:
        if (isCritical(number)) return { unrecognized: number };
    }
  }
  return { contentFormat, locationPath: locationPath ?? NO_SEGMENTS, maxAge, observe, block1, block2, size2, etag };
}

/** RFC 7252 §5.4.6: the lowest bit of the number. */
export function isCritical(number: number): boolean {
  return (number & 1) === 1;
}

/** The empty value is zero; leading zeros are allowed (RFC 7252 §3.2). */
export function readUint(value: Uint8Array): number {
  let uint = 0;
  for (const byte of value) uint = uint * 256 + byte;
  return uint;
}

export function uintOption(number: number, uint: number): MessageOption {
  if (uint === 0) return { number, value: NO_BYTES };
  if (uint < 0x100) return { number, value: Uint8Array.of(uint) };
  if (uint < 0x1_0000) return { number, value: Uint8Array.of(uint >> 8, uint) };
  if (uint < 0x100_0000) return { number, value: Uint8Array.of(uint >> 16, uint >> 8, uint) };
  return { number, value: Uint8Array.of(uint >>> 24, uint >> 16, uint >> 8, uint) };
}

export function stringOption(number: number, text: string): MessageOption {
  return { number, value: Buffer.from(text) };
}

/** Null for invalid UTF-8: otherwise two different names could become the same string. */
function readString(value: Uint8Array): string | null {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length);
  const text = bytes.toString();
  return text.includes('\uFFFD') && !isUtf8(value) ? null : text;
}

function isRepeatable(number: number): boolean {
  switch (number) {
    case optionNumbers.ifMatch:
    case optionNumbers.etag:
    case optionNumbers.locationPath:
    case optionNumbers.uriPath:
    case optionNumbers.uriQuery:
    case optionNumbers.locationQuery:
    case optionNumbers.requestTag:
      return true;
    default:
      return false;
  }
}

/**
 * The "Length" column of RFC 7252 §5.10, RFC 7959 §2.1 and §4, RFC 7641 §2, RFC 7967 §2, RFC 9175 §2.2.1 and §3.2.1.
 */
function hasDefinedLength(number: number, length: number): boolean {
  switch (number) {
    case optionNumbers.uriPath:
    case optionNumbers.uriQuery:
    case optionNumbers.locationPath:
    case optionNumbers.locationQuery:
      return length <= 255;
    case optionNumbers.contentFormat:
    case optionNumbers.accept:
    case optionNumbers.uriPort:
      return length <= 2;
    case optionNumbers.observe:
    case optionNumbers.block1:
    case optionNumbers.block2:
      return length <= 3;
    case optionNumbers.maxAge:
    case optionNumbers.size1:
    case optionNumbers.size2:
      return length <= 4;
    case optionNumbers.etag:
      return length >= 1 && length <= 8;
    case optionNumbers.requestTag:
    case optionNumbers.ifMatch:
      return length <= 8;
    case optionNumbers.noResponse:
      return length <= 1;
    case optionNumbers.ifNoneMatch:
      return length === 0;
    case optionNumbers.uriHost:
    case optionNumbers.proxyScheme:
      return length >= 1 && length <= 255;
    case optionNumbers.proxyUri:
      return length >= 1 && length <= 1034;
    case optionNumbers.echo:
      return length >= 1 && length <= 40;
    case optionNumbers.hopLimit:
      return length === 1;
    default:
      return true;
  }
}
