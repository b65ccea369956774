import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import type { Channel, PreSharedKey, ServerAddress } from '../simulator/index.ts';

/** Default ports (RFC 7252 §6, RFC 8323 §8). */
const PORTS = { coap: 5683, coaps: 5684, 'coap+tcp': 5683, 'coaps+tcp': 5684 } as const;

export interface ServerUri {
  readonly scheme: keyof typeof PORTS;
  readonly host: string;
  readonly port: number;
}

/** The command line’s options for the device’s endpoint name and credentials. */
export interface DeviceSecurityOptions {
  readonly endpoint: string;
  /** Above 1 only without security: the devices would share one key. */
  readonly count: number;
  readonly pskIdentity?: string;
  readonly pskKey?: string;
  /** File names. */
  readonly certificate?: string;
  readonly privateKey?: string;
  readonly trust?: string;
}

export function coapUri(text: string): ServerUri {
  const uri = URL.canParse(text) ? new URL(text) : null;
  const scheme = uri?.protocol.slice(0, -1);
  if (!uri || !isScheme(scheme) || uri.hostname === '') {
    throw new InvalidArgumentError(
      'It must be a URI like coap://127.0.0.1:5683, with the scheme coap, coaps, coap+tcp or coaps+tcp.',
    );
  }
  const port = uri.port === '' ? PORTS[scheme] : Number(uri.port);
  return { scheme, host: uri.hostname.replace(/^\[|\]$/g, ''), port };
}

export function collectUris(text: string, before: readonly ServerUri[] = []): readonly ServerUri[] {
  return [...before, coapUri(text)];
}

/** Rejects when an option that the scheme requires is missing, or a file can't be read. */
export async function serverAddress(
  { scheme, host, port }: ServerUri,
  credentials: DeviceSecurityOptions,
): Promise<ServerAddress> {
  return { host, port, channel: await channelOf(scheme, credentials) };
}

async function channelOf(scheme: ServerUri['scheme'], credentials: DeviceSecurityOptions): Promise<Channel> {
  if (scheme === 'coap') return { kind: 'udp' };
  if (scheme === 'coap+tcp') return { kind: 'tcp' };
  if (credentials.count > 1)
    throw new Error('--count above 1 requires coap:// or coap+tcp://: each device needs its own key');
  if (scheme === 'coaps') return { kind: 'dtls', psk: pskOf(credentials) };
  const { certificate, privateKey, trust } = credentials;
  if (certificate === undefined || privateKey === undefined || trust === undefined) {
    throw new Error('coaps+tcp:// requires --certificate, --private-key and --trust');
  }
  const [own, key, authorities] = await Promise.all([readText(certificate), readText(privateKey), readText(trust)]);
  return { kind: 'tls', credentials: { certificate: own, privateKey: key, authorities } };
}

function readText(file: string): Promise<string> {
  return readFile(file, 'utf8');
}

function pskOf({ endpoint, pskIdentity = endpoint, pskKey }: DeviceSecurityOptions): PreSharedKey {
  if (pskKey === undefined) throw new Error('coaps:// requires --psk-key');
  // Checked here and not by commander, whose error would print the key.
  if (!/^(?:[0-9a-f]{2})+$/i.test(pskKey)) throw new Error('--psk-key must be hexadecimal, with two digits per byte');
  return { identity: pskIdentity, key: Buffer.from(pskKey, 'hex') };
}

function isScheme(text: string | undefined): text is ServerUri['scheme'] {
  return text !== undefined && Object.hasOwn(PORTS, text);
}
