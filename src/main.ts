import { pino, type Logger } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from './clock.ts';
import { addressesOf, type Addresses } from './composition/addresses.ts';
import { readApiCertificate, reloadApiCertificate } from './composition/api-certificate.ts';
import { openBootstrapEndpoints } from './composition/bootstrap-endpoints.ts';
import { openEndpoints } from './composition/endpoints.ts';
import { kafkaConnection } from './composition/kafka-connection.ts';
import { endpointMetrics } from './composition/endpoint-metrics.ts';
import { processMetrics } from './composition/metrics.ts';
import { METRICS_PATIENCE_MS, probe } from './composition/probe.ts';
import { checkPorts } from './composition/port-check.ts';
import { createReadiness } from './composition/readiness.ts';
import { openSecretKey } from './composition/secret-key.ts';
import { shareEvents } from './composition/shared-events.ts';
import { checkDtlsFiles, prepareDataDirectory } from './composition/start-checks.ts';
import { measureFleet, trafficMeter } from './composition/traffic-metrics.ts';
import { treelineVersion } from './composition/version.ts';
import { endSessionsWithCredentials, recheckAfterTrustChanges } from './composition/trust-policy.ts';
import type { Config } from './config/index.ts';
import { createEventBus } from './events/index.ts';
import {
  createAccess,
  createBootstrapLookUp,
  createCredentialLookUp,
  createCredentials,
  createFleet,
  createRevocations,
  ensureAdminToken,
  ensureDefaultTenant,
  HandshakeLog,
  Seal,
  type FleetEvents,
} from './fleet/index.ts';
import { createBootstrapServer, createLwm2mServer, registryModel } from './lwm2m/index.ts';
import { createHttpServer } from './server/index.ts';
import { openChannel, openStore } from './store/index.ts';
import { createTelemetry, type TelemetryEvents } from './telemetry/index.ts';

/** A running Treeline server. */
export interface Treeline {
  readonly addresses: Addresses;
  /** The public half of the server's DTLS key: DER SubjectPublicKeyInfo, base64. */
  readonly publicKey: string;
  /**
   * The admin token that this start generated, to be printed once; null when an earlier start generated it or the
   * settings define it.
   */
  readonly adminToken: string | null;
  /** Resolves with a one-line error when the server can’t continue, because the embedded database ended. */
  readonly failed: Promise<Error>;
  /** Drains: refuses new work, ends or stores the running work, then closes everything. */
  stop(): Promise<void>;
}

/**
 * Undoes one step of the start. The steps are undone in reverse order when a later one fails and when the server stops.
 */
type Undo = () => Promise<void>;

/** Starts the server. Closes everything again and rejects with a one-line error when a step fails. */
export async function startTreeline(config: Config): Promise<Treeline> {
  const log = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: false }));
  const undo: Undo[] = [];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const running = await compose(config, log, undo);
    return {
      ...running,
      async stop() {
        log.info('Treeline stops');
        await stop();
        log.info('Treeline has stopped');
        log.flush();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function compose(config: Config, log: Logger, undo: Undo[]): Promise<Omit<Treeline, 'stop'>> {
  const clock = systemClock;
  const apiFiles = config.http.tls;
  const apiCertificate = apiFiles && (await readApiCertificate(apiFiles, clock.now()));
  await checkDtlsFiles(config, clock.now());
  const kafka = await kafkaConnection(config.kafka);
  await checkPorts(config);
  await prepareDataDirectory(config);
  log.info({ version: treelineVersion(), node: process.version, settings: config.inForce }, 'Treeline starts');
  let fail: ((error: Error) => void) | undefined;
  const failed = new Promise<Error>((resolve) => (fail = resolve));
  const store = await openStore({
    database: config.database,
    ...config.databaseLimits,
    clock,
    onNotice: (text) => log.warn(text),
    onError(error) {
      // The store reconnects to Postgres; the embedded database ends with its thread.
      if (config.database.kind === 'embedded') fail?.(error);
      else log.error({ err: error }, 'database error');
    },
  });
  undo.push(() => store.close());
  const key = await openSecretKey(config, store);
  const seal = new Seal(key);
  const lookUp = createCredentialLookUp({ store, clock, seal });
  const handshakes = new HandshakeLog({ store, clock, log });
  undo.push(() => handshakes.stop());
  const opening = { config, secretKey: key, clock, log, onHandshake: handshakes.record.bind(handshakes) };
  const endpoints = await openEndpoints({ ...opening, lookUp });
  undo.push(() => endpoints.close());
  const bootstrapEndpoints = await openBootstrapEndpoints({
    ...opening,
    lookUp: createBootstrapLookUp({ store, clock, seal }),
  });
  undo.push(() => bootstrapEndpoints.close());

  await ensureDefaultTenant(store, clock);
  const adminToken = await ensureAdminToken(store, config.adminToken);
  const bus = createEventBus<FleetEvents & TelemetryEvents>();
  undo.push(async () => bus.close());
  const register = new Registry();
  measureFleet(register, bus);
  const secured = [endpoints.dtls, endpoints.tls, bootstrapEndpoints.dtls].map(({ transport }) => transport);
  void endSessionsWithCredentials(bus.subscribe('credentialEnded', null), secured);
  void recheckAfterTrustChanges(bus.subscribe('trustChanged', null), [endpoints, bootstrapEndpoints]);

  const revocations = createRevocations({ store, bus, clock, log });
  undo.push(async () => revocations.stop());
  const shared = shareEvents({
    bus,
    channel: () => channel,
    keys: { keyRevoked: tenantOf, credentialCreated: tenantOf, credentialEnded: tenantOf, trustChanged: tenantOf },
    onError: (error) => log.warn({ err: error }, 'a revocation could not be sent to the other processes'),
  });
  const channel = openChannel({
    database: config.database,
    clock,
    onMessage: (message) => shared.receive(message),
    onConnected: () => void revocations.check(),
    onLost: (error) => log.warn({ err: error }, 'the channel between the processes was lost; connecting again'),
  });
  undo.push(() => channel.close());

  const telemetry = createTelemetry({
    store,
    bus,
    clock,
    log,
    kafka,
    retentionDays: config.telemetryRetention,
  });
  const running = createFleet({
    store,
    bus,
    lwm2m: () => lwm2m,
    registry: registryModel(),
    telemetry: telemetry.sink,
    access: createAccess(store, bus, clock),
    gate: lookUp,
    credentials: createCredentials({ store, clock, bus, seal }),
    handshakes,
    seal,
    clock,
    settings: {
      autoProvision: config.autoProvision,
      noSecBootstrap: config.bootstrap.noSec,
      watching: config.watching,
      readings: config.readings,
    },
    log,
  });
  const lwm2m = createLwm2mServer({
    endpoints: [
      { endpoint: endpoints.udp.endpoint, transport: 'udp' },
      { endpoint: endpoints.dtls.endpoint, transport: 'dtls' },
      { endpoint: endpoints.tcp.endpoint, transport: 'tcp' },
      { endpoint: endpoints.tls.endpoint, transport: 'tls' },
    ],
    handlers: running.handlers,
    clock,
    settings: { graceMs: config.registrationGrace * 1000 },
    onFault: (error, doing) => log.error({ err: error }, doing),
  });
  const http = createHttpServer({
    fleet: running.fleet,
    telemetry: telemetry.history,
    bus,
    settings: { ...config.http, tls: apiCertificate },
    log,
    clock,
    meter: trafficMeter(register),
    ready: createReadiness(store, telemetry, clock),
    metrics: processMetrics(
      {
        endpoints: [...endpointMetrics('lwm2m', endpoints), ...endpointMetrics('bootstrap', bootstrapEndpoints)],
        fleet: () => running.snapshot(),
        telemetry: () => telemetry.counters(),
        store: () => store.snapshot(),
        publisher: () => telemetry.publisher(),
        outboxDepth: probe(() => telemetry.outboxDepth(), clock, METRICS_PATIENCE_MS),
        bus: () => bus.snapshot(),
        channel: () => channel.snapshot(),
        http: () => http.snapshot(),
        certificates: () => ({
          ...(reloaded && { api: reloaded.present.expiresAt }),
          devices: endpoints.dtls.expiresAt,
        }),
        failedAuthentications: () => http.failedAuthentications(),
      },
      register,
    ),
  });

  const reloaded =
    apiFiles && apiCertificate
      ? reloadApiCertificate({
          files: apiFiles,
          first: apiCertificate,
          use: (pem) => http.useCertificate(pem),
          clock,
          log,
        })
      : null;

  await running.start();
  undo.push(() => running.stop());
  undo.push(() => lwm2m.stop());
  const bootstrap = createBootstrapServer({
    endpoints: [bootstrapEndpoints.udp.endpoint, bootstrapEndpoints.dtls.endpoint],
    handlers: running.bootstrapHandlers,
    clock,
    onFault: (error, doing) => log.error({ err: error }, doing),
  });
  undo.push(() => bootstrap.stop());
  telemetry.start();
  undo.push(() => telemetry.stop());
  const { url } = await http.listen();
  undo.push(() => http.close());
  if (reloaded) undo.push(async () => reloaded.stop());
  return {
    addresses: addressesOf(config, url, endpoints, bootstrapEndpoints),
    publicKey: endpoints.dtls.publicKey.toString('base64'),
    adminToken,
    failed,
  };
}

/** The key of an event about a tenant. */
function tenantOf({ tenantId }: { readonly tenantId: string }): string {
  return tenantId;
}
