import { parsePostgresUrl, type Config } from '../config/index.ts';
import { uriHost } from '../network/index.ts';
import type { BootstrapEndpoints } from './bootstrap-endpoints.ts';
import type { Endpoints } from './endpoints.ts';

/** The addresses of a running server, as text for people: URIs, separated by spaces where there are several. */
export interface Addresses {
  readonly graphql: string;
  readonly health: string;
  readonly coap: string;
  readonly coapTcp: string;
  readonly coaps: string;
  readonly coapsTcp: string;
  readonly bootstrap: string;
  readonly database: string;
  readonly telemetry: string;
}

interface BoundAddress {
  readonly address: string;
  readonly port: number;
}

export function addressesOf(
  { database, kafka }: Config,
  graphql: string,
  { udp, tcp, dtls, tls }: Endpoints,
  bootstrap: BootstrapEndpoints,
): Addresses {
  return {
    graphql,
    health: new URL('/readyz', graphql).href,
    coap: uris('coap', udp.transport.addresses),
    coapTcp: uris('coap+tcp', tcp.transport.addresses),
    coaps: uris('coaps', dtls.transport.addresses),
    coapsTcp: uris('coaps+tcp', tls.transport.addresses),
    bootstrap: `${uris('coap', bootstrap.udp.transport.addresses)} ${uris('coaps', bootstrap.dtls.transport.addresses)}`,
    database:
      database.kind === 'embedded' ? `embedded, in ${database.directory}` : `Postgres at ${hostOf(database.url)}`,
    telemetry:
      kafka.brokers.length > 0 ? `published to ${kafka.brokers.join(', ')}` : 'stored; KAFKA_BROKERS is not set',
  };
}

function hostOf(url: string): string {
  const { host, port } = parsePostgresUrl(url);
  return `${host.startsWith('/') ? host : uriHost(host)}:${port}`;
}

function uris(scheme: string, bound: readonly BoundAddress[]): string {
  return bound.map(({ address, port }) => `${scheme}://${uriHost(address)}:${port}`).join(' ');
}
