import { UdpTransport, type CoapEndpoint } from '../coap/index.ts';
import { DtlsServer } from '../dtls/index.ts';
import { coapOver, dtlsBinding, type EndpointsOptions } from './binding.ts';

/** What devices reach the bootstrap server by. */
export interface BootstrapEndpoints {
  readonly udp: { readonly transport: UdpTransport; readonly endpoint: CoapEndpoint };
  readonly dtls: { readonly transport: DtlsServer; readonly endpoint: CoapEndpoint };
  close(): Promise<void>;
}

/** Beside where devices register; sessions are short here, so none is saved. Rejects as `openEndpoints`. */
export async function openBootstrapEndpoints(options: EndpointsOptions): Promise<BootstrapEndpoints> {
  const { coap, bootstrap } = options.config;
  const udp = await UdpTransport.bind({ hosts: [coap.host], port: bootstrap.port });
  try {
    const { binding } = await dtlsBinding(options, bootstrap.coapsPort);
    const dtls = await DtlsServer.bind(binding);
    const endpoints = { udp: coapOver(udp, options), dtls: coapOver(dtls, options) };
    return {
      udp: { transport: udp, endpoint: endpoints.udp },
      dtls: { transport: dtls, endpoint: endpoints.dtls },
      async close() {
        await Promise.all([endpoints.udp.close(), endpoints.dtls.close()]);
      },
    };
  } catch (error) {
    await udp.close();
    throw error;
  }
}
