/** Encodes the DER types (X.690) that a certificate needs. */

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const digits: number[] = [];
  for (let length = body.length; length > 0; length = Math.floor(length / 256)) digits.unshift(length % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length, ...digits]), body]);
}

export const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts);
export const set = (...parts: readonly Buffer[]): Buffer => tagged(0x31, ...parts);
export const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]));
export const octetString = (...parts: readonly Buffer[]): Buffer => tagged(0x04, ...parts);
export const utf8String = (text: string): Buffer => tagged(0x0c, Buffer.from(text));
/** `[n] EXPLICIT`. */
export const explicit = (n: number, ...parts: readonly Buffer[]): Buffer => tagged(0xa0 | n, ...parts);
/** `[n] IMPLICIT` of a primitive type. */
export const implicit = (n: number, body: Buffer): Buffer => tagged(0x80 | n, body);

/** An unsigned integer, big-endian. */
export function integer(value: Buffer | number): Buffer {
  const bytes = typeof value === 'number' ? Buffer.from([value]) : value;
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.from([0]) : bytes.subarray(first);
  return tagged(0x02, (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits);
}

export function bitString(bytes: Buffer, unusedBits = 0): Buffer {
  return tagged(0x03, Buffer.from([unusedBits]), bytes);
}

export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift(0x80 | (left % 128));
    return digits;
  });
  return tagged(0x06, Buffer.from(bytes));
}

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050. */
export function time(milliseconds: number): Buffer {
  const digits = `${new Date(milliseconds).toISOString().slice(0, 19).replaceAll(/\D/g, '')}Z`;
  return digits < '2050' ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}
