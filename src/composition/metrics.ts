import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { CoapMetrics, TcpMetrics } from '../coap/index.ts';
import type { DtlsMetrics } from '../dtls/index.ts';
import type { EventBusSnapshot } from '../events/index.ts';
import type { FleetSnapshot } from '../fleet/index.ts';
import type { ChannelSnapshot, StoreSnapshot } from '../store/index.ts';
import type { PublisherSnapshot, TelemetryCounters } from '../telemetry/index.ts';

/** The functions that read the current values, called for each request of the metrics page. */
export interface MetricSources {
  readonly endpoints: readonly EndpointMetrics[];
  readonly fleet: () => FleetSnapshot;
  readonly telemetry: () => TelemetryCounters;
  readonly store: () => StoreSnapshot;
  /** Null without brokers. */
  readonly publisher: () => PublisherSnapshot | null;
  readonly outboxDepth: () => Promise<{ readonly waiting: number } | null>;
  readonly bus: () => EventBusSnapshot;
  /** The channel between the processes. */
  readonly channel: () => ChannelSnapshot;
  readonly http: () => { readonly webSockets: number; readonly sessions: number };
  /** When the certificates expire, by name, in milliseconds since 1970. */
  readonly certificates: () => Readonly<Record<string, number>>;
  readonly failedAuthentications: () => { readonly refused: number; readonly limited: number };
}

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

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Makes one sample for each entry of a record: `by('reason', dropped)`. */
function by(label: string, counts: Readonly<Record<string, number | undefined>>): Sample[] {
  return Object.entries(counts).map(([name, count = 0]) => [{ [label]: name }, count]);
}

/** Renders the Prometheus page: the process metrics and the counters of each module. */
export function processMetrics(sources: MetricSources): () => Promise<{ contentType: string; text: string }> {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const {
    endpoints,
    fleet,
    telemetry,
    store,
    publisher,
    outboxDepth,
    bus,
    channel,
    http,
    failedAuthentications,
    certificates,
  } = sources;

  /** A counter since the start of the process. */
  const counter = (name: string, help: string, labelNames: readonly string[], read: () => readonly Sample[]): void => {
    const metric = new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [register],
      collect() {
        metric.reset();
        for (const [labels, count] of read()) metric.inc(labels, count);
      },
    });
  };
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => readonly Sample[] | Promise<readonly Sample[]>,
  ): void => {
    const metric = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [register],
      async collect() {
        for (const [labels, value] of await read()) metric.set(labels, value);
      },
    });
  };
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

  counter(
    'treeline_registration_problems_total',
    'Refused Registers and Updates by kind, and registrations that move back and forth (DISPLACED).',
    ['kind'],
    () => by('kind', fleet().registrationProblems.counts),
  );
  counter(
    'treeline_registration_problems_not_recorded_total',
    'Registration problems over the limits of the log.',
    [],
    () => [[{}, fleet().registrationProblems.leftOut]],
  );
  gauge('treeline_fleet_registered_devices', 'Registered devices.', [], () => [[{}, fleet().registered]]);
  gauge('treeline_fleet_waiting', 'Readings and registrations that wait to be stored, and RPC queues.', ['what'], () =>
    by('what', {
      readings: fleet().readings.waiting,
      registrations: fleet().registrations.waiting,
      rpc_queues: fleet().rpcs.queues,
    }),
  );
  counter('treeline_readings_dropped_total', 'Readings acknowledged but not stored, by reason.', ['reason'], () =>
    by('reason', fleet().readings.dropped),
  );
  counter(
    'treeline_readings_refused_total',
    'Messages of devices whose readings were refused because of an error of the device, by reason.',
    ['reason'],
    () => by('reason', fleet().readings.refused),
  );
  counter(
    'treeline_readings_limited_total',
    'Messages whose readings were above the limit of the device or of its tenant, by outcome: stored later (delayed), or not (refused).',
    ['outcome'],
    () => by('outcome', { ...fleet().readingLimit }),
  );
  counter(
    'treeline_observation_refusals_total',
    'Observations that a device refused or ended, by kind: transient ones are tried again after a while.',
    ['kind'],
    () => by('kind', fleet().observing.refusals),
  );
  gauge(
    'treeline_watched',
    'Devices with watched paths, and paths that are still observed though their last subscriber left (lingering).',
    ['what'],
    () => by('what', { devices: fleet().observing.watched, lingering_paths: fleet().observing.lingering }),
  );
  counter(
    'treeline_watch_requests_postponed_total',
    'How often requests for subscribers had to wait, because their device had got too many.',
    [],
    () => [[{}, fleet().observing.postponed]],
  );
  gauge('treeline_fleet_rpcs_running', 'RPCs that a device is executing.', [], () => [[{}, fleet().rpcs.running]]);
  counter('treeline_telemetry_points_total', 'Telemetry points stored.', [], () => [[{}, telemetry().points]]);
  counter(
    'treeline_telemetry_repeated_points_total',
    'Points that were not stored, because the device had already sent their metrics for the same time.',
    [],
    () => [[{}, telemetry().repeated]],
  );
  counter(
    'treeline_telemetry_dead_letters_total',
    'Readings and payloads stored as dead letters, by reason.',
    ['reason'],
    () => by('reason', telemetry().deadLetters),
  );
  counter(
    'treeline_telemetry_dead_letters_not_stored_total',
    'Dead letters that were counted but not stored, by whose limit was reached.',
    ['limit'],
    () => by('limit', telemetry().lettersNotStored),
  );
  counter(
    'treeline_outbox_records_total',
    'Records published, failed attempts to publish, and events stored as dead letters.',
    ['outcome'],
    () =>
      by('outcome', {
        published: publisher()?.published,
        failed: publisher()?.failures,
        set_aside: publisher()?.setAside,
      }),
  );
  gauge(
    'treeline_outbox_waiting',
    'Events in the outbox that are not published yet; NaN while the database does not respond.',
    [],
    async () => [[{}, (await outboxDepth().catch(() => null))?.waiting ?? NaN]],
  );
  counter(
    'treeline_bus_events_total',
    'Events on the event bus of the process, published and dropped.',
    ['outcome'],
    () => by('outcome', { published: bus().published, dropped: bus().dropped }),
  );
  gauge(
    'treeline_database_connections',
    'Connections of the pool: open, idle (open, without a transaction), and callers that wait for one (waiting).',
    ['state'],
    () => by('state', { ...store().connections }),
  );
  counter(
    'treeline_database_connections_lost_total',
    'Database connections that broke or did not answer in time.',
    [],
    () => [[{}, store().lost]],
  );
  counter(
    'treeline_database_connections_refused_total',
    'Attempts to connect that Postgres refused because it allows no more connections. The caller waited.',
    [],
    () => [[{}, store().refused]],
  );
  counter(
    'treeline_channel_messages_total',
    'Messages between the processes on one database, sent by this process and received (its own too).',
    ['direction'],
    () => by('direction', { sent: channel().sent, received: channel().received }),
  );
  counter('treeline_channel_lost_total', 'Lost connections of the channel between the processes.', [], () => [
    [{}, channel().lost],
  ]);
  gauge(
    'treeline_channel_connected',
    'Whether the channel between the processes is connected (1) or not (0).',
    [],
    () => [[{}, channel().connected ? 1 : 0]],
  );
  counter(
    'treeline_failed_authentications_total',
    'API requests with an invalid token, by outcome: refused, or not looked up because too many failed before (limited).',
    ['outcome'],
    () => by('outcome', failedAuthentications()),
  );
  gauge(
    'treeline_certificate_expiry_timestamp_seconds',
    'When a certificate expires, in seconds since 1970: of the API, and of DTLS and TLS for devices.',
    ['certificate'],
    () => by('certificate', certificates()).map(([labels, ms]): Sample => [labels, ms / 1000]),
  );
  gauge(
    'treeline_subscribers',
    'Bus subscribers, open WebSockets, and API sessions (subscriptions and WebSockets).',
    ['what'],
    () => by('what', { bus: bus().subscribers, web_sockets: http().webSockets, operations: http().sessions }),
  );

  return async () => ({ contentType: register.contentType, text: await register.metrics() });
}
