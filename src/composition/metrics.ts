import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { CoapMetrics } from '../coap/index.ts';
import type { DtlsMetrics } from '../dtls/index.ts';
import type { EventBusSnapshot } from '../events/index.ts';
import type { FleetSnapshot } from '../fleet/index.ts';
import type { PublisherSnapshot, TelemetryCounters } from '../telemetry/index.ts';

/** Where the numbers come from, read when somebody asks for the page. */
export interface MetricSources {
  readonly coap: Readonly<Record<'udp' | 'dtls' | 'tcp' | 'tls', () => CoapMetrics>>;
  readonly dtls: () => DtlsMetrics;
  readonly fleet: () => FleetSnapshot;
  readonly telemetry: () => TelemetryCounters;
  /** Null when nothing is published. */
  readonly publisher: () => PublisherSnapshot | null;
  readonly outboxDepth: () => Promise<{ readonly waiting: number }>;
  readonly bus: () => EventBusSnapshot;
  readonly http: () => { readonly webSockets: number; readonly sessions: number };
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** One sample for each name of a record: `by('reason', dropped)`. */
function by(label: string, counts: Readonly<Record<string, number | undefined>>): Sample[] {
  return Object.entries(counts).map(([name, count = 0]) => [{ [label]: name }, count]);
}

/** The Prometheus page: what the process is and what each room counts. */
export function processMetrics(sources: MetricSources): () => Promise<{ contentType: string; text: string }> {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const { coap, dtls, fleet, telemetry, publisher, outboxDepth, bus, http } = sources;

  /** Counts only upward since the start. */
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
  const perTransport = (read: (metrics: CoapMetrics) => number) => (): Sample[] =>
    by('transport', { udp: read(coap.udp()), dtls: read(coap.dtls()), tcp: read(coap.tcp()), tls: read(coap.tls()) });
  const transport = ['transport'];

  counter(
    'treeline_coap_datagrams_received_total',
    'CoAP datagrams received.',
    transport,
    perTransport((m) => m.received),
  );
  counter(
    'treeline_coap_datagrams_sent_total',
    'CoAP datagrams sent.',
    transport,
    perTransport((m) => m.sent),
  );
  counter(
    'treeline_coap_retransmissions_total',
    'Confirmable messages sent again.',
    transport,
    perTransport((m) => m.retransmissions),
  );
  counter(
    'treeline_coap_duplicates_total',
    'Messages received again.',
    transport,
    perTransport((m) => m.duplicates),
  );
  counter(
    'treeline_coap_handler_errors_total',
    'Requests answered 5.00.',
    transport,
    perTransport((m) => m.handlerErrors),
  );
  counter('treeline_coap_dropped_total', 'CoAP datagrams dropped.', ['transport', 'reason'], () =>
    Object.entries(coap).flatMap(([kind, metrics]) =>
      by('reason', metrics().dropped).map(([labels, count]): Sample => [{ ...labels, transport: kind }, count]),
    ),
  );
  gauge(
    'treeline_coap_peers',
    'Peers that something is known of.',
    transport,
    perTransport((m) => m.peers),
  );
  gauge(
    'treeline_coap_operations',
    'Requests of ours, queued or sent.',
    transport,
    perTransport((m) => m.operations),
  );
  gauge(
    'treeline_coap_observations',
    'Observations that run.',
    transport,
    perTransport((m) => m.observations),
  );

  counter('treeline_dtls_handshakes_total', 'DTLS handshakes that ended.', ['suite', 'result'], () =>
    dtls().handshakes.map(({ suite, result, count }): Sample => [{ suite: suite ?? 'none', result }, count]),
  );
  counter('treeline_dtls_alerts_sent_total', 'DTLS alerts sent.', ['alert'], () => by('alert', dtls().alertsSent));
  counter('treeline_dtls_alerts_received_total', 'DTLS alerts received.', ['alert'], () =>
    by('alert', dtls().alertsReceived),
  );
  counter('treeline_dtls_dropped_total', 'DTLS records dropped.', ['reason'], () => by('reason', dtls().dropped));
  counter('treeline_dtls_sessions_ended_total', 'DTLS sessions that ended.', ['reason'], () =>
    by('reason', dtls().ended),
  );
  counter('treeline_dtls_cookies_total', 'Cookies of first ClientHellos.', ['outcome'], () => {
    const { cookiesSent, cookiesAccepted, cookiesRefused } = dtls();
    return by('outcome', { sent: cookiesSent, accepted: cookiesAccepted, refused: cookiesRefused });
  });
  gauge('treeline_dtls_sessions', 'DTLS sessions, open, resumable and half open.', ['state'], () => {
    const { sessions, resumable, halfOpen } = dtls();
    return by('state', { open: sessions, resumable, half_open: halfOpen });
  });

  gauge('treeline_fleet_registered_devices', 'Devices that are registered.', [], () => [[{}, fleet().registered]]);
  gauge('treeline_fleet_waiting', 'What waits to be stored or run.', ['what'], () =>
    by('what', {
      readings: fleet().readings.waiting,
      registrations: fleet().registrations.waiting,
      rpc_queues: fleet().rpcs.queues,
    }),
  );
  gauge('treeline_fleet_rpcs_running', 'RPCs that a device is at.', [], () => [[{}, fleet().rpcs.running]]);
  counter('treeline_telemetry_points_total', 'Telemetry points stored.', [], () => [[{}, telemetry().points]]);
  counter('treeline_telemetry_dead_letters_total', 'Readings and payloads set aside.', ['reason'], () =>
    by('reason', telemetry().deadLetters),
  );
  counter('treeline_outbox_records_total', 'Records handed to the broker, and tries that failed.', ['outcome'], () =>
    by('outcome', {
      published: publisher()?.published,
      failed: publisher()?.failures,
      set_aside: publisher()?.setAside,
    }),
  );
  gauge('treeline_outbox_waiting', 'Events that wait for the broker.', [], async () => [
    [{}, (await outboxDepth()).waiting],
  ]);
  counter('treeline_bus_events_total', 'Events inside the process.', ['outcome'], () =>
    by('outcome', { published: bus().published, dropped: bus().dropped }),
  );
  gauge('treeline_subscribers', 'Who listens.', ['what'], () =>
    by('what', { bus: bus().subscribers, web_sockets: http().webSockets, operations: http().sessions }),
  );

  return async () => ({ contentType: register.contentType, text: await register.metrics() });
}
