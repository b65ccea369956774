import type { TelemetryBatch } from '../fleet/index.ts';

/** A decoded value of one resource, as the fleet hands it over. */
export type Reading = TelemetryBatch['readings'][number];

/** Why a reading that is mapped makes no metric. */
export type Refusal =
  /** NaN or an infinity, by itself or after scale and offset: JSON and most consumers know neither. */
  | 'not-finite'
  /** A number is wanted, and it is text, bytes or a link. */
  | 'not-a-number'
  /** Opaque, where no mapping says that it goes as a string. */
  | 'opaque'
  /** Text that no Unicode string may hold: U+0000 (the database takes none) or half a surrogate pair. */
  | 'not-text'
  /** A time outside the years 1 to 9999, which RFC 3339 can't write. */
  | 'time-out-of-range';

export type MetricValue =
  | { readonly kind: 'numeric'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'refused'; readonly reason: Refusal };

/** How a mapping wants a value: the kind by the resource's type unless it says otherwise. */
export interface Conversion {
  readonly kind: 'numeric' | 'string' | null;
  readonly scale: number;
  readonly offset: number;
}

const DECIMAL = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
const UNSTORABLE = /[\0\p{Surrogate}]/u;
/** Years 1 to 9999 in milliseconds since the Unix epoch. */
const EARLIEST = Date.parse('0001-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * What a reading becomes: Integer, Unsigned Integer, Float, Time (seconds) and Boolean (0 and 1) are numeric; String,
 * Corelnk and Objlnk (`3:0`) are strings. A mapping may ask for a number out of text that is a decimal literal, and for
 * anything as a string: Time in RFC 3339, Opaque in base64.
 */
export function metricValue(reading: Reading, { kind, scale, offset }: Conversion): MetricValue {
  const wanted = kind ?? kindOf(reading);
  if (wanted === null) return refused('opaque');
  if (wanted === 'numeric') {
    const raw = numberOf(reading);
    if (raw === null) return refused('not-a-number');
    const value = raw * scale + offset;
    return Number.isFinite(value) ? { kind: 'numeric', value } : refused('not-finite');
  }
  const value = textOf(reading);
  if (value === null) return refused('time-out-of-range');
  return UNSTORABLE.test(value) ? refused('not-text') : { kind: 'string', value };
}

/** When a reading was taken, in milliseconds since the Unix epoch; null when no calendar of ours has that time. */
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
    case 'Float':
    case 'Time':
    case 'Boolean':
      return Number(reading.value);
    case 'String':
      return DECIMAL.test(reading.value) ? Number(reading.value) : null;
    case 'Corelnk':
    case 'Objlnk':
    case 'Opaque':
      return null;
  }
}

/** Null for a Time that RFC 3339 can't write. */
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

/** As protobuf's JSON mapping writes a Timestamp: no fraction when there is none, else three digits. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
