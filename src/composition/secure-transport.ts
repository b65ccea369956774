import { X509Certificate } from 'node:crypto';
import type { Clock } from '../clock.ts';
import {
  createCoapEndpoint,
  transmissionParameters,
  type CoapEndpoint,
  type TlsSettings,
  type Transport,
} from '../coap/index.ts';
import type { Config } from '../config.ts';
import {
  createServerIdentity,
  loadServerIdentity,
  type Credentials,
  type DtlsServerOptions,
  type HandshakeReport,
} from '../dtls/index.ts';
import type { CredentialLookUp, Log } from '../fleet/index.ts';
import { dtlsIdentity, type PemIdentity } from '../installation/index.ts';
import { dtlsCredentials, type FleetCredentials } from './dtls-credentials.ts';

/** What the endpoints of devices are opened with. */
export interface EndpointsOptions {
  readonly config: Config;
  readonly secretKey: Uint8Array;
  readonly lookUp: CredentialLookUp;
  readonly clock: Clock;
  readonly log: Log;
  readonly onHandshake: (report: HandshakeReport) => void;
}

const CERTIFICATE_DAYS = 3_650;

/** CoAP over a transport, with the transmission parameters of the settings. */
export function coapOver(transport: Transport, { config, clock, log }: EndpointsOptions): CoapEndpoint {
  const parameters = transmissionParameters({ ackTimeoutMs: config.coap.ackTimeoutMs });
  return createCoapEndpoint({
    transport,
    clock,
    parameters: () => parameters,
    onHandlerError: (error) => log.error({ err: error }, 'a CoAP handler failed'),
  });
}

export interface DtlsBinding {
  readonly binding: DtlsServerOptions;
  readonly credentials: FleetCredentials;
  readonly publicKey: Buffer;
  readonly pem: PemIdentity;
}

/** A DTLS server's binding to a port, with the installation's identity and credentials; and that identity. */
export async function dtlsBinding(
  { config, lookUp, clock, log, onHandshake }: EndpointsOptions,
  port: number,
): Promise<DtlsBinding> {
  const pem = await dtlsIdentity(config.coaps.identity, config.dataDir, () =>
    createServerIdentity({
      commonName: 'treeline',
      names: ['localhost', '127.0.0.1'],
      now: clock.now(),
      days: CERTIFICATE_DAYS,
    }),
  );
  const identity = loadServerIdentity(pem);
  const credentials = dtlsCredentials(lookUp, clock);
  const binding: DtlsServerOptions = {
    hosts: config.coaps.hosts,
    port,
    credentials,
    settings: { identity },
    clock,
    onHandshake,
    onAlarm: ({ address, port: from }, forgeries) =>
      log.warn({ address, port: from, forgeries }, 'somebody forges records of a DTLS session'),
  };
  return { binding, credentials, publicKey: identity.spki, pem };
}

/** What a TLS server proves itself with, and whom it lets in: those whom DTLS would, by the same certificates. */
export function tlsSettings(pem: PemIdentity, credentials: Credentials): TlsSettings {
  return {
    ...pem,
    async identify(chain) {
      const [own] = chain;
      if (own === undefined) return null;
      const verdict = await credentials.certificate(chain);
      if ('refused' in verdict) return null;
      const name = new X509Certificate(own).subject.replaceAll('\n', ', ');
      return { kind: 'x509', name, credential: verdict.credential };
    },
  };
}
