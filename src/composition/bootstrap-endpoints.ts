import { UdpTransport, type CoapEndpoint } from '../coap/index.ts';
import { DEFAULT_LIMITS, DtlsServer } from '../dtls/index.ts';
import { coapOver, dtlsBinding, type EndpointsOptions } from './secure-transport.ts';

/** The CoAP endpoints of the bootstrap server: UDP and DTLS. */
export interface BootstrapEndpoints {
  readonly udp: { readonly transport: UdpTransport; readonly endpoint: CoapEndpoint };
  readonly dtls: { readonly transport: DtlsServer; readonly endpoint: CoapEndpoint };
  /** Makes the next certificate check read the trust anchors again. */
  forgetAnchors(): void;
  /** Checks the certificates of open sessions again and ends the sessions whose certificate is no longer valid. */
  recheckCertificates(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the endpoints. Their sessions are short, so they are not saved. Rejects like `openEndpoints`. */
export async function openBootstrapEndpoints(options: EndpointsOptions): Promise<BootstrapEndpoints> {
  const { coap, bootstrap } = options.config;
  const udp = await UdpTransport.bind({ hosts: [coap.host], port: bootstrap.port });
  try {
    const { binding, credentials } = await dtlsBinding(options, bootstrap.coapsPort);
    // A whole batch of devices shares one factory credential and may connect at the same time.
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
