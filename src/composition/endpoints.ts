import type { Clock } from '../clock.ts';
import {
  createCoapEndpoint,
  transmissionParameters,
  UdpTransport,
  type CoapEndpoint,
  type Transport,
} from '../coap/index.ts';
import type { Config } from '../config.ts';
import { createServerIdentity, DtlsServer, loadServerIdentity, type HandshakeReport } from '../dtls/index.ts';
import type { CredentialLookUp, Log } from '../fleet/index.ts';
import { dtlsIdentity, saveSessions, takeSavedSessions } from '../installation/index.ts';
import { dtlsCredentials } from './dtls-credentials.ts';

/** What devices reach the server by. */
export interface Endpoints {
  readonly udp: { readonly transport: UdpTransport; readonly endpoint: CoapEndpoint };
  readonly dtls: { readonly transport: DtlsServer; readonly endpoint: CoapEndpoint; readonly publicKey: Buffer };
  /** Closes both; DTLS sessions are saved for the next start. */
  close(): Promise<void>;
}

export interface EndpointsOptions {
  readonly config: Config;
  readonly secretKey: Uint8Array;
  readonly lookUp: CredentialLookUp;
  readonly clock: Clock;
  readonly log: Log;
  readonly onHandshake: (report: HandshakeReport) => void;
}

const CERTIFICATE_DAYS = 3_650;

/** Rejects with CoapError BIND or DtlsError `settings` when a port is taken or a certificate can't be used. */
export async function openEndpoints(options: EndpointsOptions): Promise<Endpoints> {
  const { config, clock, log } = options;
  const parameters = transmissionParameters({ ackTimeoutMs: config.coap.ackTimeoutMs });
  const endpointOver = (transport: Transport): CoapEndpoint =>
    createCoapEndpoint({
      transport,
      clock,
      parameters: () => parameters,
      onHandlerError: (error) => log.error({ err: error }, 'a CoAP handler failed'),
    });
  const udp = await UdpTransport.bind({ hosts: [config.coap.host], port: config.coap.port });
  try {
    const { server, publicKey } = await bindDtls(options);
    const endpoints = { udp: endpointOver(udp), dtls: endpointOver(server) };
    return {
      udp: { transport: udp, endpoint: endpoints.udp },
      dtls: { transport: server, endpoint: endpoints.dtls, publicKey },
      async close() {
        await endpoints.udp.close();
        // Before the endpoint closes its transport: a closed session can't be saved.
        await saveSessions(config.dataDir, await server.suspend(options.secretKey));
        await endpoints.dtls.close();
      },
    };
  } catch (error) {
    await udp.close();
    throw error;
  }
}

async function bindDtls(options: EndpointsOptions): Promise<{ server: DtlsServer; publicKey: Buffer }> {
  const { config, secretKey, lookUp, clock, log, onHandshake } = options;
  const pem = await dtlsIdentity(config.coaps.identity, config.dataDir, () =>
    createServerIdentity({
      commonName: 'treeline',
      names: ['localhost', '127.0.0.1'],
      now: clock.now(),
      days: CERTIFICATE_DAYS,
    }),
  );
  const identity = loadServerIdentity(pem);
  const binding = {
    hosts: config.coaps.hosts,
    port: config.coaps.port,
    credentials: dtlsCredentials(lookUp, clock),
    settings: { identity },
    clock,
    onHandshake,
    onAlarm: ({ address, port }: { address: string; port: number }, forgeries: number) =>
      log.warn({ address, port, forgeries }, 'somebody forges records of a DTLS session'),
  };
  const sessions = await takeSavedSessions(config.dataDir);
  const saved = sessions && { sessions, key: secretKey };
  try {
    return { server: await DtlsServer.bind({ ...binding, ...(saved && { saved }) }), publicKey: identity.spki };
  } catch (error) {
    if (saved === null || !isUnreadable(error)) throw error;
    // State that can't be read is set aside, not a reason not to start: the devices make new sessions.
    log.warn({ err: error }, 'the saved DTLS sessions can not be read and are dropped');
    return { server: await DtlsServer.bind(binding), publicKey: identity.spki };
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'saved_sessions';
}
