import { X509Certificate } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import {
  createCoapEndpoint,
  transmissionParameters,
  type CoapEndpoint,
  type TlsSettings,
  type Transport,
} from '../coap/index.ts';
import { Lwm2mError } from '../lwm2m/index.ts';
import { withExchangeLog } from './exchange-log.ts';
import type { Config } from '../config/index.ts';
import {
  createServerIdentity,
  DEFAULT_LIMITS,
  loadServerIdentity,
  type CredentialSource,
  type DtlsServerOptions,
  type HandshakeReport,
} from '../dtls/index.ts';
import type { CredentialLookUp } from '../fleet/index.ts';
import { dtlsIdentity, type PemIdentity } from '../installation/index.ts';
import { dtlsCredentials, type FleetCredentials } from './dtls-credentials.ts';

/** The configuration and services that every endpoint of devices needs. */
export interface EndpointsOptions {
  readonly config: Config;
  readonly secretKey: Uint8Array;
  readonly lookUp: CredentialLookUp;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onHandshake: (report: HandshakeReport) => void;
}

const CERTIFICATE_DAYS = 3_650;

/** Creates a CoAP endpoint over a transport, with the transmission parameters of the settings. */
export function coapOver(transport: Transport, { config, clock, log }: EndpointsOptions): CoapEndpoint {
  const parameters = transmissionParameters({ ackTimeoutMs: config.coap.ackTimeoutMs });
  const endpoint = createCoapEndpoint({
    transport,
    clock,
    parameters: () => parameters,
    held: true,
    onHandlerError(error) {
      // A planned stop cancels what runs, and the device sends again. A device above its limit is counted and logged once.
      if (isLimit(error)) return;
      const isCancelled = error instanceof Lwm2mError && error.code === 'CANCELLED';
      if (isCancelled) log.debug({ reason: error.message }, 'a CoAP request was cancelled');
      else log.error({ err: error }, 'a CoAP handler failed');
    },
  });
  return withExchangeLog(endpoint, { log, clock, transport: transport.kind });
}

function isLimit(error: unknown): boolean {
  return error instanceof Lwm2mError && error.code === 'LIMIT';
}

export interface DtlsBinding {
  readonly binding: DtlsServerOptions;
  readonly credentials: FleetCredentials;
  readonly publicKey: Buffer;
  /** When the certificate expires, in milliseconds since 1970. */
  readonly expiresAt: number;
  readonly pem: PemIdentity;
}

/** Prepares a DTLS server for a port, with the installation’s certificate and the devices’ credentials. */
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
    settings: { identity, limits: { ...DEFAULT_LIMITS, handshakesPerAddress: config.perAddress.handshakes } },
    clock,
    onHandshake,
    onAlarm: ({ address, port: from }, forgeries) =>
      log.warn({ address, port: from, forgeries }, 'forged DTLS records rejected'),
  };
  const expiresAt = Date.parse(new X509Certificate(pem.certificates).validTo);
  // A configured certificate that has expired ends the start; devices that pin the key of a generated one still work.
  if (expiresAt <= clock.now()) {
    log.warn(
      { expiresAt: new Date(expiresAt).toISOString() },
      'the DTLS certificate of the data directory has expired',
    );
  }
  return { binding, credentials, publicKey: identity.spki, expiresAt, pem };
}

/** TLS settings with the same server identity and the same certificate checks as DTLS. */
export function tlsSettings(pem: PemIdentity, credentials: CredentialSource): TlsSettings {
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
