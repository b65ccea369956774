import { collectDefaultMetrics, type Registry } from 'prom-client';
import type { EventBusSnapshot } from '../events/index.ts';
import type { FleetSnapshot } from '../fleet/index.ts';
import type { ChannelSnapshot, StoreSnapshot } from '../store/index.ts';
import { BROKER_STATES, type PublisherSnapshot, type TelemetryCounters } from '../telemetry/index.ts';
import { addEndpointMetrics, type EndpointMetrics } from './endpoint-metrics.ts';
import { treelineVersion } from './version.ts';
import { by, metricPage, type Sample } from './metric-page.ts';

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

/** Renders the Prometheus page: the process metrics and the counters of each module. */
export function processMetrics(
  sources: MetricSources,
  register: Registry,
): () => Promise<{ contentType: string; text: string }> {
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

  const page = metricPage(register);
  const { counter, gauge } = page;
  gauge('treeline_build_info', 'The version of Treeline and of Node.js; always 1.', ['version', 'node'], () => [
    [{ version: treelineVersion(), node: process.versions.node }, 1],
  ]);
  addEndpointMetrics(page, endpoints);

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
  gauge(
    'treeline_outbox_refused_topics',
    'Topics that the broker refuses (missing, or not permitted). Their events wait in the outbox; the log names them.',
    [],
    () => [[{}, publisher()?.refusedTopics.length ?? 0]],
  );
  gauge(
    'treeline_broker_state',
    'State of the broker: 1 for the present one, 0 for the others; all 0 without brokers.',
    ['state'],
    () => BROKER_STATES.map((state): Sample => [{ state }, publisher()?.broker === state ? 1 : 0]),
  );
  counter(
    'treeline_bus_events_total',
    'Events on the event bus of the process, published and dropped.',
    ['outcome'],
    () => by('outcome', { published: bus().published, dropped: bus().dropped }),
  );
  gauge(
    'treeline_database_connections',
    'Connections of the pool: open, idle (open, without a transaction), in_use (with one), and callers that wait for one (waiting).',
    ['state'],
    () => {
      const { connections } = store();
      return by('state', { ...connections, in_use: connections.open - connections.idle });
    },
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
