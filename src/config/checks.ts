import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** `::` accepts IPv4 too, but a machine without IPv6 can’t bind it. */
export function everywhere(): string {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.some((address) => address?.family === 'IPv6') ? '::' : '0.0.0.0';
}

/** Returns the value of a setting's text; undefined when the text is invalid. */
export type Check<T> = (text: string) => T | undefined;

export function integer(least: number, most: number): Check<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    return value >= least && value <= most ? value : undefined;
  };
}

export function oneOf<const T extends string>(choices: readonly T[]): Check<T> {
  return (text) => choices.find((choice) => choice === text);
}

export const boolean: Check<boolean> = (text) =>
  ({ true: true, '1': true, false: false, '0': false })[text.toLowerCase()];

export const address: Check<string> = (text) => (/^[A-Za-z0-9.:_-]{1,253}$/.test(text) ? text : undefined);

/** CoAP sockets are bound to IP addresses, because a host name can resolve to several. */
export const ip: Check<string> = (text) => (isIP(text) > 0 ? text : undefined);

export const ips: Check<string[]> = (text) => {
  const list = text.split(',').map((one) => one.trim());
  return list.every((one) => ip(one) !== undefined) ? list : undefined;
};

export const key: Check<Uint8Array> = (text) => {
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64');
  return bytes.length === 32 ? bytes : undefined;
};

export const token: Check<string> = (text) => (/^[\x21-\x7e]{16,256}$/.test(text) ? text : undefined);

/** Kafka's rules of topic names: at most 249 characters; `.` and `..` are reserved. */
const LONGEST_TOPIC = 249;
/** The longest slug of a tenant. */
const LONGEST_TENANT = 64;
export const TOPIC_RULE =
  'letters, digits, ".", "_", "-" and {tenant_id}, not "." or "..", and at most 249 characters with a tenant’s id of 64';
export const topic: Check<string> = (text) => {
  const longest = text.replaceAll('{tenant_id}', 'x'.repeat(LONGEST_TENANT));
  const isValid = /^[A-Za-z0-9._-]+$/.test(longest) && !/^\.\.?$/.test(longest) && longest.length <= LONGEST_TOPIC;
  return isValid ? text : undefined;
};

/** A prefix of role names: `treeline_iot`. PostgreSQL shortens names to 63 bytes; the longest ending has 11. */
export const rolePrefix: Check<string> = (text) => (/^[a-z_][a-z0-9_]{0,51}$/.test(text) ? text : undefined);

export const brokers: Check<string[]> = (text) => {
  const list = text.split(',').map((broker) => broker.trim());
  return list.every(isBroker) ? list : undefined;
};

function isBroker(text: string): boolean {
  const port = /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})$/.exec(text)?.[1];
  return port !== undefined && integer(1, 65_535)(port) !== undefined;
}

export const origin: Check<string> = (text) =>
  URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text ? text : undefined;

export const origins: Check<string[]> = (text) =>
  every(text, (one) => URL.canParse(one) && new URL(one).origin === one);

/** RFC 9110 §5.6.2: a field name is a token. */
export const headerNames: Check<string[]> = (text) => every(text, (name) => /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name));

/** IP addresses, and networks in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3). */
export const networks: Check<string[]> = (text) =>
  every(text, (one) => {
    const [network = '', prefix, more] = one.split('/');
    const bits = { 4: 32, 6: 128 }[isIP(network)];
    if (bits === undefined || more !== undefined) return false;
    return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
  });

/** Splits a list at its commas; an empty text is an empty list. */
function every(text: string, isValid: (item: string) => boolean): string[] | undefined {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
  return items.every(isValid) ? items : undefined;
}
