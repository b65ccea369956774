import { UdpTransport, type CoapEndpoint } from '../coap/index.ts';
import { DEFAULT_LIMITS, DtlsServer } from '../dtls/index.ts';
import { coapOver, dtlsBinding, type EndpointsOptions } from './secure-transport.ts';

/** What devices reach the bootstrap server by. */
export interface BootstrapEndpoints {
  readonly udp: { readonly transport: UdpTransport; readonly endpoint: CoapEndpoint };
  readonly dtls: { readonly transport: DtlsServer; readonly endpoint: CoapEndpoint };
  /** Trust anchors have changed: the next certificate is checked against them. */
  forgetAnchors(): void;
  /** Ends the sessions of certificates that no longer count. */
  recheckCertificates(): Promise<void>;
  close(): Promise<void>;
}

/** Beside where devices register; sessions are short here, so none is saved. Rejects as `openEndpoints`. */
export async function openBootstrapEndpoints(options: EndpointsOptions): Promise<BootstrapEndpoints> {
  const { coap, bootstrap } = options.config;
  const udp = await UdpTransport.bind({ hosts: [coap.host], port: bootstrap.port });
  try {
    const { binding, credentials } = await dtlsBinding(options, bootstrap.coapsPort);
    // A factory credential is that of a whole batch, which may come at once.
    const limits = { ...DEFAULT_LIMITS, sessionsPerCredential: DEFAULT_LIMITS.sessions };
    const dtls = await DtlsServer.bind({ ...binding, settings: { ...binding.settings, limits } });
    const endpoints = { udp: coapOver(udp, options), dtls: coapOver(dtls, options) };
    return {
      udp: { transport: udp, endpoint: endpoints.udp },
      dtls: { transport: dtls, endpoint: endpoints.dtls },
      forgetAnchors: () => credentials.forgetAnchors(),
      async recheckCertificates() {
        await dtls.recheckCertificates();
      },
      async close() {
        await Promise.all([endpoints.udp.close(), endpoints.dtls.close()]);
      },
    };
  } catch (error) {
    await udp.close();
    throw error;
  }
}
