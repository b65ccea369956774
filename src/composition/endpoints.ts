import { TcpTransport, UdpTransport, type CoapEndpoint, type Transport } from '../coap/index.ts';
import { DtlsServer } from '../dtls/index.ts';
import { saveSessions, takeSavedSessions } from '../installation/index.ts';
import { coapOver, dtlsBinding, type EndpointsOptions } from './binding.ts';

/** What devices reach the server by. */
export interface Endpoints {
  readonly udp: { readonly transport: UdpTransport; readonly endpoint: CoapEndpoint };
  readonly tcp: { readonly transport: TcpTransport; readonly endpoint: CoapEndpoint };
  readonly dtls: { readonly transport: DtlsServer; readonly endpoint: CoapEndpoint; readonly publicKey: Buffer };
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
    const { server: dtls, publicKey } = await bindDtls(options);
    const endpoints = { udp: coapOver(udp, options), tcp: coapOver(tcp, options), dtls: coapOver(dtls, options) };
    return {
      udp: { transport: udp, endpoint: endpoints.udp },
      tcp: { transport: tcp, endpoint: endpoints.tcp },
      dtls: { transport: dtls, endpoint: endpoints.dtls, publicKey },
      async close() {
        await Promise.all([endpoints.udp.close(), endpoints.tcp.close()]);
        // Before the endpoint closes its transport: a closed session can't be saved.
        await saveSessions(config.dataDir, await dtls.suspend(options.secretKey));
        await endpoints.dtls.close();
      },
    };
  } catch (error) {
    await Promise.all(opened.map((transport) => transport.close()));
    throw error;
  }
}

async function bindDtls(options: EndpointsOptions): Promise<{ server: DtlsServer; publicKey: Buffer }> {
  const { config, secretKey, log } = options;
  const { binding, publicKey } = await dtlsBinding(options, config.coaps.port);
  const sessions = await takeSavedSessions(config.dataDir);
  const saved = sessions && { sessions, key: secretKey };
  try {
    return { server: await DtlsServer.bind({ ...binding, ...(saved && { saved }) }), publicKey };
  } catch (error) {
    if (saved === null || !isUnreadable(error)) throw error;
    // State that can't be read is set aside, not a reason not to start: the devices make new sessions.
    log.warn({ err: error }, 'the saved DTLS sessions can not be read and are dropped');
    return { server: await DtlsServer.bind(binding), publicKey };
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'saved_sessions';
}
