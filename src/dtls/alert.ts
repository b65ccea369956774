/** Alert descriptions of RFC 5246 §7.2, RFC 4279, RFC 5746 and RFC 6066. */
export const ALERTS = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  record_overflow: 22,
  handshake_failure: 40,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  user_canceled: 90,
  no_renegotiation: 100,
  unsupported_extension: 110,
  unrecognized_name: 112,
  unknown_psk_identity: 115,
} as const;

export type AlertDescription = keyof typeof ALERTS;

export type AlertLevel = 'warning' | 'fatal';

export interface Alert {
  readonly level: AlertLevel;
  /** The name, or the number when `ALERTS` does not list it. */
  readonly description: AlertDescription | number;
}

const NAMES = new Map<number, AlertDescription>(
  // Object.entries widens the keys of a constant table to string.
  Object.entries(ALERTS).map(([name, value]) => [value, name as AlertDescription]),
);

export function encodeAlert(level: AlertLevel, description: AlertDescription): Buffer {
  return Buffer.from([level === 'fatal' ? 2 : 1, ALERTS[description]]);
}

/** Returns null when the bytes are not a valid alert. */
export function decodeAlert(body: Buffer): Alert | null {
  const level = body[0];
  const description = body[1];
  if (body.length !== 2 || description === undefined || (level !== 1 && level !== 2)) return null;
  return { level: level === 2 ? 'fatal' : 'warning', description: NAMES.get(description) ?? description };
}
