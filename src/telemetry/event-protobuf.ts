import type { TelemetryPointJson } from './event-json.ts';

/** Wire types of the protobuf encoding. */
const VARINT = 0;
const I64 = 1;
const LEN = 2;

/**
 * Encodes a TelemetryPoint in protobuf: data/events/telemetry-point.proto. For this one message, forty lines replace a
 * dependency. Fields with their default value are omitted, as in proto3; map entries always contain key and value, as
 * every implementation writes them.
 */
export function telemetryPointProtobuf(point: TelemetryPointJson): Uint8Array {
  return Buffer.concat([
    ...nonEmpty(1, Buffer.from(point.device_id)),
    ...nonEmpty(2, Buffer.from(point.tenant_id)),
    ...delimited(3, timestamp(Date.parse(point.timestamp))),
    ...Object.entries(point.numeric_values).flatMap(([name, value]) =>
      delimited(4, [...key(name), ...double(2, value)]),
    ),
    ...Object.entries(point.string_values).flatMap(([name, value]) =>
      delimited(5, [...key(name), ...delimited(2, [Buffer.from(value)])]),
    ),
    ...(point.received_at === undefined ? [] : delimited(6, timestamp(Date.parse(point.received_at)))),
    ...(point.timestamp_suspect === true ? [tag(7, VARINT), varint(1n)] : []),
  ]);
}

/** Encodes google.protobuf.Timestamp: seconds since the Unix epoch plus non-negative nanoseconds. */
function timestamp(ms: number): Buffer[] {
  const seconds = Math.floor(ms / 1000);
  const nanos = (ms - seconds * 1000) * 1_000_000;
  return [
    ...(seconds === 0 ? [] : [tag(1, VARINT), varint(BigInt.asUintN(64, BigInt(seconds)))]),
    ...(nanos === 0 ? [] : [tag(2, VARINT), varint(BigInt(nanos))]),
  ];
}

function key(name: string): Buffer[] {
  return delimited(1, [Buffer.from(name)]);
}

function nonEmpty(field: number, bytes: Buffer): Buffer[] {
  return bytes.length === 0 ? [] : delimited(field, [bytes]);
}

function delimited(field: number, parts: readonly Buffer[]): Buffer[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [tag(field, LEN), varint(BigInt(length)), ...parts];
}

function double(field: number, value: number): Buffer[] {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return [tag(field, I64), bytes];
}

function tag(field: number, wireType: number): Buffer {
  return varint(BigInt((field << 3) | wireType));
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}
