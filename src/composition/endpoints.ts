import { TcpTransport, UdpTransport, type CoapEndpoint, type TlsSettings, type Transport } from '../coap/index.ts';
import { DtlsServer } from '../dtls/index.ts';
import { saveSessions, takeSavedSessions } from '../installation/index.ts';
import { coapOver, dtlsBinding, tlsSettings, type EndpointsOptions } from './secure-transport.ts';
import type { FleetCredentials } from './dtls-credentials.ts';

/** The four CoAP endpoints of the LwM2M server: UDP, TCP, DTLS and TLS. */
export interface Endpoints {
  readonly udp: { readonly transport: UdpTransport; readonly endpoint: CoapEndpoint };
  readonly tcp: { readonly transport: TcpTransport; readonly endpoint: CoapEndpoint };
  readonly dtls: {
    readonly transport: DtlsServer;
    readonly endpoint: CoapEndpoint;
    readonly publicKey: Buffer;
    readonly expiresAt: number;
  };
  readonly tls: { readonly transport: TcpTransport; readonly endpoint: CoapEndpoint };
  /** Makes the next certificate check read the trust anchors again. */
  forgetAnchors(): void;
  /** Checks the certificates of open sessions again and ends the sessions whose certificate is no longer valid. */
  recheckCertificates(): Promise<void>;
  /** Saves the DTLS sessions for the next start and closes all endpoints. */
  close(): Promise<void>;
}

/** Rejects with CoapError BIND when a port is in use and with DtlsError `settings` when a certificate can’t be used. */
export async function openEndpoints(options: EndpointsOptions): Promise<Endpoints> {
  const { config, clock } = options;
  const opened: Transport[] = [];
  try {
    const connectionsPerAddress = config.perAddress.connections;
    const udp = await UdpTransport.bind({ hosts: [config.coap.host], port: config.coap.port });
    opened.push(udp);
    // TCP uses the configured port number too; with port 0 the system picks another one.
    const tcp = await TcpTransport.bind({
      hosts: [config.coap.host],
      port: config.coap.port,
      clock,
      connectionsPerAddress,
    });
    opened.push(tcp);
    const { server: dtls, publicKey, expiresAt, credentials, tlsOver } = await bindDtls(options);
    opened.push(dtls);
    const tls = await TcpTransport.bind({
      hosts: config.coaps.hosts,
      port: config.coaps.port,
      clock,
      connectionsPerAddress,
      tls: tlsOver,
    });
    const endpoints = {
      udp: coapOver(udp, options),
      tcp: coapOver(tcp, options),
      dtls: coapOver(dtls, options),
      tls: coapOver(tls, options),
    };
    return {
      udp: { transport: udp, endpoint: endpoints.udp },
      tcp: { transport: tcp, endpoint: endpoints.tcp },
      dtls: { transport: dtls, endpoint: endpoints.dtls, publicKey, expiresAt },
      tls: { transport: tls, endpoint: endpoints.tls },
      forgetAnchors: () => credentials.forgetAnchors(),
      async recheckCertificates() {
        await Promise.all([dtls.recheckCertificates(), tls.recheckCertificates()]);
      },
      async close() {
        try {
          // Save first: closing the endpoint closes its sessions, and a closed session can't be saved. Closing also
          // waits for peers, and the process may be killed while it waits.
          await saveSessions(config.dataDir, await dtls.suspend(options.secretKey));
        } finally {
          await Promise.all(Object.values(endpoints).map((endpoint) => endpoint.close()));
        }
      },
    };
  } catch (error) {
    await Promise.all(opened.map((transport) => transport.close()));
    throw error;
  }
}

interface BoundDtls {
  readonly server: DtlsServer;
  readonly publicKey: Buffer;
  readonly expiresAt: number;
  readonly credentials: FleetCredentials;
  /** TLS with the same server identity and the same device credentials. */
  readonly tlsOver: TlsSettings;
}

async function bindDtls(options: EndpointsOptions): Promise<BoundDtls> {
  const { config, secretKey, log } = options;
  const { binding, credentials, publicKey, expiresAt, pem } = await dtlsBinding(options, config.coaps.port);
  const made = { publicKey, expiresAt, credentials, tlsOver: tlsSettings(pem, credentials) };
  const sessions = await takeSavedSessions(config.dataDir);
  const saved = sessions && { sessions, key: secretKey };
  try {
    return { server: await DtlsServer.bind({ ...binding, ...(saved && { saved }) }), ...made };
  } catch (error) {
    if (saved === null || !isUnreadable(error)) throw error;
    // Unreadable sessions don't prevent the start: the devices do new handshakes.
    log.warn({ err: error }, 'saved DTLS sessions are unreadable and were dropped');
    return { server: await DtlsServer.bind(binding), ...made };
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'saved_sessions';
}
