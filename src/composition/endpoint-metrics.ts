import type { CoapMetrics, TcpMetrics } from '../coap/index.ts';
import type { DtlsMetrics } from '../dtls/index.ts';
import { by, type MetricPage, type Sample } from './metric-page.ts';

/** The counters of one CoAP endpoint of the LwM2M or the bootstrap server. */
export interface EndpointMetrics {
  readonly server: 'lwm2m' | 'bootstrap';
  readonly transport: 'udp' | 'dtls' | 'tcp' | 'tls';
  readonly coap: () => CoapMetrics;
  /** Only for `dtls`. */
  readonly dtls?: () => DtlsMetrics;
  /** Only for `tcp` and `tls`. */
  readonly tcp?: () => TcpMetrics;
}

type Sources = Partial<
  Record<EndpointMetrics['transport'], { readonly endpoint: { readonly metrics: () => CoapMetrics } }>
> & {
  readonly dtls: { readonly transport: { readonly metrics: DtlsMetrics } };
  readonly tcp?: { readonly transport: { readonly metrics: TcpMetrics } };
  readonly tls?: { readonly transport: { readonly metrics: TcpMetrics } };
};

/** Collects the counters of all endpoints of one server. */
export function endpointMetrics(server: EndpointMetrics['server'], sources: Sources): EndpointMetrics[] {
  return (['udp', 'dtls', 'tcp', 'tls'] as const).flatMap((transport) => {
    const source = sources[transport];
    if (source === undefined) return [];
    const coap = (): CoapMetrics => source.endpoint.metrics();
    if (transport === 'dtls') return { server, transport, coap, dtls: () => sources.dtls.transport.metrics };
    const stream = transport === 'udp' ? undefined : sources[transport];
    return { server, transport, coap, ...(stream && { tcp: () => stream.transport.metrics }) };
  });
}

/** Adds the CoAP, TCP and DTLS metrics of all endpoints. */
export function addEndpointMetrics({ counter, gauge }: MetricPage, endpoints: readonly EndpointMetrics[]): void {
  const perEndpoint = (read: (metrics: CoapMetrics) => number) => (): Sample[] =>
    endpoints.map(({ server, transport, coap }) => [{ server, transport }, read(coap())]);
  const endpoint = ['server', 'transport'];
  const perDtls = (read: (metrics: DtlsMetrics) => readonly Sample[]) => (): Sample[] =>
    endpoints.flatMap(({ server, dtls }) =>
      dtls ? read(dtls()).map(([labels, value]): Sample => [{ server, ...labels }, value]) : [],
    );

  counter(
    'treeline_coap_datagrams_received_total',
    'CoAP datagrams received.',
    endpoint,
    perEndpoint((m) => m.received),
  );
  counter(
    'treeline_coap_datagrams_sent_total',
    'CoAP datagrams sent.',
    endpoint,
    perEndpoint((m) => m.sent),
  );
  const perTcp = (read: (metrics: TcpMetrics) => readonly Sample[]) => (): Sample[] =>
    endpoints.flatMap(({ server, transport, tcp }) =>
      tcp ? read(tcp()).map(([labels, value]): Sample => [{ server, transport, ...labels }, value]) : [],
    );
  gauge(
    'treeline_coap_connections',
    'Open TCP and TLS connections of devices.',
    endpoint,
    perTcp(({ connections }) => [[{}, connections]]),
  );
  counter(
    'treeline_coap_connections_rejected_total',
    'Connections at a limit: the oldest unproven was closed for a newcomer (evicted), or the newcomer was refused.',
    [...endpoint, 'outcome'],
    perTcp(({ evicted, refused }) => by('outcome', { evicted, refused })),
  );
  counter(
    'treeline_coap_retransmissions_total',
    'Confirmable messages retransmitted.',
    endpoint,
    perEndpoint((m) => m.retransmissions),
  );
  counter(
    'treeline_coap_duplicates_total',
    'Duplicate messages received.',
    endpoint,
    perEndpoint((m) => m.duplicates),
  );
  counter(
    'treeline_coap_handler_errors_total',
    'Requests answered 5.00 because a handler failed.',
    endpoint,
    perEndpoint((m) => m.handlerErrors),
  );
  counter('treeline_coap_dropped_total', 'CoAP datagrams dropped, by reason.', [...endpoint, 'reason'], () =>
    endpoints.flatMap(({ server, transport, coap }) =>
      by('reason', coap().dropped).map(([labels, count]): Sample => [{ server, transport, ...labels }, count]),
    ),
  );
  counter(
    'treeline_coap_evicted_total',
    'What made room for a newcomer at a limit: known peers, or bodies of unfinished block-wise transfers.',
    [...endpoint, 'kind'],
    () =>
      endpoints.flatMap(({ server, transport, coap }) => {
        const { evictedPeers: peer, evictedBodies: body } = coap();
        return by('kind', { peer, body }).map(([labels, count]): Sample => [{ server, transport, ...labels }, count]);
      }),
  );
  gauge(
    'treeline_coap_peers',
    'Peers with stored CoAP state.',
    endpoint,
    perEndpoint((m) => m.peers),
  );
  gauge(
    'treeline_coap_operations',
    'Outgoing requests that are queued or wait for a response.',
    endpoint,
    perEndpoint((m) => m.operations),
  );
  gauge(
    'treeline_coap_observations',
    'Active observations.',
    endpoint,
    perEndpoint((m) => m.observations),
  );

  const perHandshake = perDtls(({ handshakes }) =>
    handshakes.map(({ suite, result, count }): Sample => [{ suite: suite ?? 'none', result }, count]),
  );
  counter(
    'treeline_dtls_handshakes_total',
    'Ended DTLS handshakes, by cipher suite and result.',
    ['server', 'suite', 'result'],
    perHandshake,
  );
  counter(
    'treeline_dtls_alerts_sent_total',
    'DTLS alerts sent, by alert.',
    ['server', 'alert'],
    perDtls((m) => by('alert', m.alertsSent)),
  );
  counter(
    'treeline_dtls_alerts_received_total',
    'DTLS alerts received, by alert.',
    ['server', 'alert'],
    perDtls((m) => by('alert', m.alertsReceived)),
  );
  counter(
    'treeline_dtls_dropped_total',
    'DTLS records dropped, by reason.',
    ['server', 'reason'],
    perDtls((m) => by('reason', m.dropped)),
  );
  counter(
    'treeline_dtls_sessions_ended_total',
    'Ended DTLS sessions, by reason.',
    ['server', 'reason'],
    perDtls((m) => by('reason', m.ended)),
  );
  counter(
    'treeline_dtls_cookies_total',
    'DTLS cookies sent, accepted and refused.',
    ['server', 'outcome'],
    perDtls(({ cookiesSent, cookiesAccepted, cookiesRefused }) =>
      by('outcome', { sent: cookiesSent, accepted: cookiesAccepted, refused: cookiesRefused }),
    ),
  );
  gauge(
    'treeline_dtls_sessions',
    'DTLS sessions, by state: open, resumable or half open.',
    ['server', 'state'],
    perDtls(({ sessions, resumable, halfOpen }) => by('state', { open: sessions, resumable, half_open: halfOpen })),
  );
}
