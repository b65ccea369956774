import { join } from 'node:path';
import { PeerProcess } from './process.ts';
import { PEERS_DIRECTORY } from './program.ts';

export interface LeshanOptions {
  /** `coap://127.0.0.1:5683`, `coaps://…` */
  readonly serverUri: string;
  readonly endpoint: string;
  /** 1.1 is Leshan 2, 1.0 is Leshan 1, which has neither 3442 nor bootstrap, certificates and CID here. */
  readonly lwm2m?: '1.0' | '1.1';
  /** Seconds; 300 unless told. */
  readonly lifetime?: number;
  /** Seconds between Updates. */
  readonly period?: number;
  readonly queue?: boolean;
  /** The uri is a bootstrap server's. */
  readonly bootstrap?: boolean;
  readonly psk?: { readonly identity: string; readonly keyHex: string };
  /** DER files. */
  readonly rawPublicKey?: { readonly publicKey: string; readonly privateKey: string; readonly serverPublicKey: string };
  readonly certificate?: { readonly own: string; readonly privateKey: string; readonly server: string };
  /** Offers DTLS connection ids of this length. */
  readonly connectionIdLength?: number;
}

/**
 * A device on Leshan's client with objects 1, 3, 3303 and 3442. It says `REGISTERED /rd/…`, `UPDATED …`,
 * `DEREGISTERED …`, `BOOTSTRAPPED`, `READ /3/0/9`, `WRITE /3/0/15 …`, `EXECUTE /3/0/4` (and its
 * arguments), `OBSERVE …`, `REBOOTED`, `RESUMING`, and obeys `write('update')`, `resume` (its DTLS session, with the next
 * message), `set /3303/0/5700 21.5`, `send /3303/0/5700`, `create /3303/1`, `delete /3303/1`, `bootstrap`.
 */
export class LeshanDevice extends PeerProcess {
  constructor(options: LeshanOptions) {
    const [peer, main] = options.lwm2m === '1.0' ? ['leshan1', 'LeshanOneDevice'] : ['leshan', 'LeshanDevice'];
    const classPath = ['classes', 'lib/*'].map((part) => join(PEERS_DIRECTORY, peer, part)).join(':');
    const java = ['-Xmx128m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', classPath, main];
    super(`leshan ${options.endpoint}`, 'java', [...java, ...argumentsOf(options)]);
  }

  /** Its next registration: the location that the server gave. */
  async registered({ since = 0 } = {}): Promise<string> {
    const [, location = ''] = await this.waitFor(/^REGISTERED (.*)$/, { since });
    return location;
  }
}

function argumentsOf(options: LeshanOptions): string[] {
  const named: Readonly<Record<string, string | number | undefined>> = {
    uri: options.serverUri,
    endpoint: options.endpoint,
    lifetime: options.lifetime,
    period: options.period,
    identity: options.psk?.identity,
    key: options.psk?.keyHex,
    'public-key': options.rawPublicKey?.publicKey,
    'server-public-key': options.rawPublicKey?.serverPublicKey,
    certificate: options.certificate?.own,
    'server-certificate': options.certificate?.server,
    'private-key': options.rawPublicKey?.privateKey ?? options.certificate?.privateKey,
    cid: options.connectionIdLength,
  };
  return [
    ...Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)])),
    ...(options.queue ? ['--queue'] : []),
    ...(options.bootstrap ? ['--bootstrap'] : []),
  ];
}
