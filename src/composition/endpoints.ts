import { TcpTransport, UdpTransport, type CoapEndpoint, type TlsSettings, type Transport } from '../coap/index.ts';
import { DtlsServer } from '../dtls/index.ts';
import { saveSessions, takeSavedSessions } from '../installation/index.ts';
import { coapOver, dtlsBinding, tlsSettings, type EndpointsOptions } from './secure-transport.ts';
import type { FleetCredentials } from './dtls-credentials.ts';

/** What devices reach the server by. */
export interface Endpoints {
  readonly udp: { readonly transport: UdpTransport; readonly endpoint: CoapEndpoint };
  readonly tcp: { readonly transport: TcpTransport; readonly endpoint: CoapEndpoint };
  readonly dtls: { readonly transport: DtlsServer; readonly endpoint: CoapEndpoint; readonly publicKey: Buffer };
  readonly tls: { readonly transport: TcpTransport; readonly endpoint: CoapEndpoint };
  /** Trust anchors have changed: the next certificate is checked against them. */
  forgetAnchors(): void;
  /** Ends the sessions of certificates that no longer count. */
  recheckCertificates(): Promise<void>;
  /** Closes all; DTLS sessions are saved for the next start. */
  close(): Promise<void>;
}

/** Rejects with CoapError BIND or DtlsError `settings` when a port is taken or a certificate can't be used. */
export async function openEndpoints(options: EndpointsOptions): Promise<Endpoints> {
  const { config, clock } = options;
  const opened: Transport[] = [];
  try {
    const udp = await UdpTransport.bind({ hosts: [config.coap.host], port: config.coap.port });
    opened.push(udp);
    // The same port over TCP; one that the system picked may be taken there.
    const tcp = await TcpTransport.bind({ hosts: [config.coap.host], port: config.coap.port, clock });
    opened.push(tcp);
    const { server: dtls, publicKey, credentials, tlsOver } = await bindDtls(options);
    opened.push(dtls);
    const tls = await TcpTransport.bind({ hosts: config.coaps.hosts, port: config.coaps.port, clock, tls: tlsOver });
    const endpoints = {
      udp: coapOver(udp, options),
      tcp: coapOver(tcp, options),
      dtls: coapOver(dtls, options),
      tls: coapOver(tls, options),
    };
    return {
      udp: { transport: udp, endpoint: endpoints.udp },
      tcp: { transport: tcp, endpoint: endpoints.tcp },
      dtls: { transport: dtls, endpoint: endpoints.dtls, publicKey },
      tls: { transport: tls, endpoint: endpoints.tls },
      forgetAnchors: () => credentials.forgetAnchors(),
      async recheckCertificates() {
        await Promise.all([dtls.recheckCertificates(), tls.recheckCertificates()]);
      },
      async close() {
        try {
          // Before the endpoint closes its transport: a closed session can't be saved. And before anything waits for a
          // peer to go: whoever kills the process meanwhile must not cost the sessions.
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
  readonly credentials: FleetCredentials;
  /** The same identity and the same devices over TLS. */
  readonly tlsOver: TlsSettings;
}

async function bindDtls(options: EndpointsOptions): Promise<BoundDtls> {
  const { config, secretKey, log } = options;
  const { binding, credentials, publicKey, pem } = await dtlsBinding(options, config.coaps.port);
  const made = { publicKey, credentials, tlsOver: tlsSettings(pem, credentials) };
  const sessions = await takeSavedSessions(config.dataDir);
  const saved = sessions && { sessions, key: secretKey };
  try {
    return { server: await DtlsServer.bind({ ...binding, ...(saved && { saved }) }), ...made };
  } catch (error) {
    if (saved === null || !isUnreadable(error)) throw error;
    // State that can't be read is set aside, not a reason not to start: the devices make new sessions.
    log.warn({ err: error }, 'the saved DTLS sessions can not be read and are dropped');
    return { server: await DtlsServer.bind(binding), ...made };
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'saved_sessions';
}
