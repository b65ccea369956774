import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerProcess } from './process.ts';
import { PEERS_DIRECTORY } from './program.ts';

export type TlsLibrary = 'openssl' | 'gnutls';

export interface CoapRequest {
  readonly method: 'get' | 'post' | 'put' | 'delete' | 'fetch' | 'patch' | 'ipatch';
  readonly uri: string;
  readonly contentFormat?: number;
  readonly accept?: number;
  readonly payload?: Uint8Array | string;
  /** Bytes of a block: 16 to 1024. */
  readonly blockSize?: number;
  /** DTLS with a pre-shared key: the uri is coaps://…; by OpenSSL, or by GnuTLS when told. */
  readonly psk?: { readonly identity: string; readonly key: string };
  readonly library?: TlsLibrary;
  /** Seconds that it waits for the answer; 10 unless told. */
  readonly timeout?: number;
  /** Observes for this many seconds. */
  readonly observeFor?: number;
}

export interface CoapAnswer {
  /** What came back, all blocks; empty when there was none. */
  readonly payload: Uint8Array;
  /** `4.04` and such; null for a success, whose code coap-client does not print. */
  readonly error: string | null;
  /** The messages as coap-client logs them, with their codes, tokens and options: `v:1 t:ACK c:2.01 i:…`. */
  readonly log: readonly string[];
}

/** Asks by libcoap's coap-client; what it sent and got is in the log. */
export async function coapClient(request: CoapRequest): Promise<CoapAnswer> {
  const directory = await mkdtemp(join(tmpdir(), 'treeline-coap-'));
  const [sent, received] = [join(directory, 'sent'), join(directory, 'received')];
  try {
    if (request.payload !== undefined) await writeFile(sent, request.payload);
    const command = request.psk ? `coap-client-${request.library ?? 'openssl'}` : 'coap-client-notls';
    const client = new PeerProcess(command, command, [...argumentsOf(request, sent), '-o', received, request.uri]);
    await client.exited;
    const payload = await readFile(received).catch(() => new Uint8Array());
    const error = client.lines.map((line) => /^([45]\.\d\d)\b/.exec(line)?.[1]).find((code) => code !== undefined);
    return { payload, error: error ?? null, log: client.lines };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export interface CoapDeviceOptions {
  /** Of the server, at 127.0.0.1. */
  readonly port: number;
  readonly psk: { readonly identity: string; readonly key: string };
  readonly endpoint: string;
  /** What it answers to a Read of /3/0/1. */
  readonly model: string;
}

/** A device on libcoap's library; it says `CONNECTED`, `REGISTERED /rd/…`, `READ` and `FAILED …`. */
export class CoapDevice extends PeerProcess {
  constructor(library: TlsLibrary, { port, psk, endpoint, model }: CoapDeviceOptions) {
    const words = [String(port), psk.identity, psk.key, endpoint, model];
    super(`libcoap ${endpoint}`, join(PEERS_DIRECTORY, `libcoap/device-${library}`), words);
  }
}

function argumentsOf(request: CoapRequest, payloadFile: string): string[] {
  return [
    ...option('-m', request.method),
    ...option('-t', request.contentFormat),
    ...option('-A', request.accept),
    ...option('-f', request.payload === undefined ? undefined : payloadFile),
    ...option('-b', request.blockSize),
    ...option('-u', request.psk?.identity),
    ...option('-k', request.psk?.key),
    ...option('-s', request.observeFor),
    ...option('-B', request.timeout ?? 10),
    ...option('-v', 7),
  ];
}

function option(flag: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [flag, String(value)];
}
