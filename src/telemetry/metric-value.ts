import type { TelemetryBatch } from '../fleet/index.ts';
import { shortestFloat32 } from './float32.ts';

/** A decoded value of one resource. */
export type Reading = TelemetryBatch['readings'][number];

/** Why a mapped reading does not become a metric. */
export type Refusal =
  /** NaN or an infinity, as read or after scale and offset: JSON and most consumers support neither. */
  | 'not-finite'
  /** The mapping requires a number, but the value is text, bytes or a link. */
  | 'not-a-number'
  /** Opaque, and the mapping does not set the kind to string. */
  | 'opaque'
  /** Text with U+0000, which the database can't store, or with half a surrogate pair. */
  | 'not-text'
  /** An integer beyond ±2^53, as read or as metric: the metric has the nearest number; the read one is kept with this reason. */
  | 'inexact'
  /** A time outside the years 1 to 9999, which RFC 3339 can't represent. */
  | 'time-out-of-range';

export type MetricValue =
  | { readonly kind: 'numeric'; readonly value: number; readonly exact: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'refused'; readonly reason: Refusal };

/** How a mapping converts a value. `kind` null: by the resource's type. */
export interface Conversion {
  readonly kind: 'numeric' | 'string' | null;
  readonly scale: number;
  readonly offset: number;
}

const DECIMAL = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
const WHOLE = /^\s*[+-]?\d+\s*$/;
const UNSTORABLE = /[\0\p{Surrogate}]/u;
/** Years 1 to 9999 in milliseconds since the Unix epoch. */
const EARLIEST = Date.parse('0001-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Converts a reading to a metric value. Integer, Unsigned Integer, Float, Time (seconds) and Boolean (0 and 1) are
 * numeric; String, Corelnk and Objlnk (`3:0`) are strings. With kind numeric, a String with a decimal literal becomes a
 * number. With kind string, every type becomes a string: Time in RFC 3339, Opaque in base64.
 */
export function metricValue(reading: Reading, { kind, scale, offset }: Conversion): MetricValue {
  const wanted = kind ?? kindOf(reading);
  if (wanted === null) return refused('opaque');
  if (wanted === 'numeric') {
    const raw = numberOf(reading);
    if (raw === null) return refused('not-a-number');
    const value = converted(raw, scale, offset);
    if (!Number.isFinite(value)) return refused('not-finite');
    return { kind: 'numeric', value, exact: !isInteger(reading) || [raw, value].every(isExact) };
  }
  const value = textOf(reading);
  if (value === null) return refused('time-out-of-range');
  return UNSTORABLE.test(value) ? refused('not-text') : { kind: 'string', value };
}

/** A double has 15 exact decimal digits. */
const EXACT_DIGITS = 15;

/** Rounds each step as decimal numbers: 38 · 0.1 is 3.8, not 3.8000000000000003. */
function converted(raw: number, scale: number, offset: number): number {
  const scaled = scale === 1 ? raw : rounded(raw * scale);
  return offset === 0 ? scaled : rounded(scaled + offset);
}

function rounded(value: number): number {
  return Number.isSafeInteger(value) ? value : Number(value.toPrecision(EXACT_DIGITS));
}

function isExact(value: number): boolean {
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

/** True if the device sent a whole number, also as text. */
function isInteger({ type, value }: Reading): boolean {
  if (type === 'String') return WHOLE.test(value);
  return type === 'Integer' || type === 'Unsigned Integer' || type === 'Time';
}

/** When a reading was taken, in milliseconds since the Unix epoch; null outside the years 1 to 9999. */
export function timeOf(reading: Reading, receivedAt: number): number | null {
  const ms = reading.time === null ? receivedAt : Math.round(reading.time * 1000);
  return ms >= EARLIEST && ms <= LATEST ? ms : null;
}

function refused(reason: Refusal): MetricValue {
  return { kind: 'refused', reason };
}

function kindOf(reading: Reading): 'numeric' | 'string' | null {
  switch (reading.type) {
    case 'Integer':
    case 'Unsigned Integer':
    case 'Float':
    case 'Time':
    case 'Boolean':
      return 'numeric';
    case 'String':
    case 'Corelnk':
    case 'Objlnk':
      return 'string';
    case 'Opaque':
      return null;
  }
}

function numberOf(reading: Reading): number | null {
  switch (reading.type) {
    case 'Integer':
    case 'Unsigned Integer':
    case 'Time':
    case 'Boolean':
      return Number(reading.value);
    case 'Float':
      return shortestFloat32(reading.value);
    case 'String':
      return DECIMAL.test(reading.value) ? Number(reading.value) : null;
    case 'Corelnk':
    case 'Objlnk':
    case 'Opaque':
      return null;
  }
}

/** Returns null for a Time that RFC 3339 can't represent. */
function textOf(reading: Reading): string | null {
  switch (reading.type) {
    case 'Objlnk':
      return `${reading.value.objectId}:${reading.value.instanceId}`;
    case 'Opaque':
      return Buffer.from(reading.value).toString('base64');
    case 'Time': {
      const ms = Number(reading.value) * 1000;
      return ms >= EARLIEST && ms <= LATEST ? rfc3339(ms) : null;
    }
    default:
      return String(reading.value);
  }
}

/** Formats a time like protobuf's JSON mapping: three fractional digits, or none for whole seconds. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
