import { randomBytes } from 'node:crypto';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import type { FormattedExecutionResult } from 'graphql';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import type { ApiEvents } from '../../schema/index.ts';
import { systemClock } from '../../src/clock.ts';
import { createCoapEndpoint, UdpTransport, type Transport } from '../../src/coap/index.ts';
import { createEventBus, type EventBus } from '../../src/events/index.ts';
import {
  createAccess,
  createCredentials,
  createFleet,
  DEFAULT_TENANT,
  ensureAdminToken,
  ensureDefaultTenant,
  HandshakeLog,
  Seal,
  type Actor,
  type CredentialHolder,
  type Fleet,
  type Role,
  type TenantId,
} from '../../src/fleet/index.ts';
import { createLwm2mServer, registryModel, type Lwm2mServer } from '../../src/lwm2m/index.ts';
import { createHttpServer, type HttpServer, type HttpSettings } from '../../src/server/index.ts';
import { SimulatedDevice, type DeviceOptions } from '../../src/simulator/index.ts';
import { HTTP_SETTINGS } from './bare-server.ts';
import { tenants, type Store } from '../../src/store/index.ts';
import { createTelemetry } from '../../src/telemetry/index.ts';

/** The second tenant. */
export const GLOBEX = 'globex' as TenantId; // made below

export interface GraphqlResponse {
  readonly status: number;
  readonly body: FormattedExecutionResult<Record<string, unknown>>;
}

/** The API over a real fleet, LwM2M server and database, with simulated devices over UDP on loopback. */
export interface ApiWorld {
  readonly fleet: Fleet;
  readonly bus: EventBus<ApiEvents> & { snapshot(): { readonly subscribers: number } };
  readonly server: HttpServer;
  readonly url: string;
  /** The UDP port of the LwM2M server on 127.0.0.1. */
  readonly coapPort: number;
  /** Bearer tokens of the default tenant by role, and of the second tenant's admin. */
  readonly tokens: Readonly<Record<Role | 'other', string>>;
  /** Log lines of level warn and above. */
  readonly logged: Record<string, unknown>[];
  ask(query: string, variables?: object, token?: string): Promise<GraphqlResponse>;
  /** Resolves with the data of the response; fails when there are errors. */
  data<T = Record<string, unknown>>(query: string, variables?: object, token?: string): Promise<T>;
  overWebSocket(query: string, variables?: object, token?: string): AsyncIterableIterator<FormattedExecutionResult>;
  overSse(query: string, variables?: object, token?: string): AsyncIterableIterator<FormattedExecutionResult>;
  /** Registers a simulated device; its values change only when a test changes them. */
  device(endpoint: string, options?: Partial<DeviceOptions>): Promise<SimulatedDevice>;
  /** Provisions a device of the second tenant and registers it as an authenticated device. */
  otherDevice(endpoint: string, options?: Partial<DeviceOptions>): Promise<SimulatedDevice>;
  stop(): Promise<void>;
}

export function adminOf(tenantId: TenantId): Actor {
  return { tenantId, role: 'admin', subject: 'admin-token', keyId: null };
}

const ADMIN_TOKEN = 'the-admin-token-of-tests';

export async function apiWorld(
  store: Store,
  settings: Partial<HttpSettings> = {},
  adjust: (fleet: Fleet) => Fleet = (fleet) => fleet,
): Promise<ApiWorld> {
  const clock = systemClock;
  const bus = createEventBus<ApiEvents>();
  const logged: ApiWorld['logged'] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  await ensureDefaultTenant(store, clock);
  await store.asSystem((tx) =>
    tx.insert(tenants).values({ id: GLOBEX, name: 'Globex', createdAt: new Date() }).onConflictDoNothing(),
  );
  await ensureAdminToken(store, ADMIN_TOKEN);
  const access = createAccess(store, bus, clock);
  const telemetry = createTelemetry({
    store,
    bus,
    clock,
    log,
    retentionDays: 30,
    kafka: {
      brokers: [],
      tls: null,
      sasl: null,
      format: 'json',
      telemetryTopic: 'telemetry.raw.{tenant_id}',
      statusTopic: 'device.status',
    },
  });
  const transport = await UdpTransport.bind({ hosts: ['127.0.0.1'], port: 0 });
  const endpoint = createCoapEndpoint({ transport, clock });
  // Only an authenticated device can belong to another tenant. DTLS would authenticate it; here its port identifies it.
  const provingTransport = await UdpTransport.bind({ hosts: ['127.0.0.1'], port: 0 });
  const provingEndpoint = createCoapEndpoint({ transport: proved(provingTransport), clock });
  const holders = new Map<string, CredentialHolder>();
  const handshakes = new HandshakeLog({ store, clock, log });
  const seal = new Seal(randomBytes(32));
  const running = createFleet({
    store,
    bus,
    lwm2m: () => lwm2m,
    registry: registryModel(),
    telemetry: telemetry.sink,
    access,
    credentials: createCredentials({ store, clock, bus, seal }),
    seal,
    handshakes,
    gate: { holders: async () => holders, secured: async () => new Set() },
    clock,
    settings: {
      autoProvision: { perNetwork: 1_000, total: 10_000 },
      noSecBootstrap: true,
      readings: { perDevice: 1_000_000, perTenant: null },
      watching: { lingerMs: 0, requestsPerMinute: 6_000, requestBurst: 1_000 },
    },
    log,
  });
  const lwm2m: Lwm2mServer = createLwm2mServer({
    endpoints: [
      { endpoint, transport: 'udp' },
      { endpoint: provingEndpoint, transport: 'dtls' },
    ],
    handlers: running.handlers,
    clock,
  });
  await running.start();
  const fleet = adjust(running.fleet);
  const server = createHttpServer({
    meter: { request() {}, operation() {}, invalidOperation() {} },
    fleet,
    telemetry: telemetry.history,
    bus,
    settings: { ...HTTP_SETTINGS, ...settings },
    log,
    clock,
    ready: async () => ({ ready: true, checks: { database: 'ok' } }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'treeline_up 1\n' }),
  });
  const { url } = await server.listen();

  const key = async (tenantId: TenantId, role: Role): Promise<string> =>
    (await access.createKey(adminOf(tenantId), { name: role, role })).token;
  const tokens = {
    admin: ADMIN_TOKEN,
    operator: await key(DEFAULT_TENANT, 'operator'),
    viewer: await key(DEFAULT_TENANT, 'viewer'),
    other: await key(GLOBEX, 'admin'),
  };
  const devices: SimulatedDevice[] = [];
  const clients: { dispose(): void | Promise<void> }[] = [];

  const ask: ApiWorld['ask'] = async (query, variables = {}, token = tokens.admin) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, body: (await response.json()) as GraphqlResponse['body'] };
  };

  async function simulate(by: UdpTransport, name: string, options: Partial<DeviceOptions>): Promise<SimulatedDevice> {
    const server = { host: '127.0.0.1', port: by.addresses[0]?.port ?? 0 };
    const accounts = [{ server, shortServerId: 123, lifetime: 300 }];
    const device = new SimulatedDevice({ endpoint: name, accounts, objects: [3303], driftMs: 0, ...options });
    devices.push(device);
    await device.start();
    return device;
  }

  return {
    fleet,
    bus,
    server,
    url,
    coapPort: transport.addresses[0]?.port ?? 0,
    tokens,
    logged,
    ask,
    async data<T>(query: string, variables?: object, token?: string) {
      return dataOf<T>((await ask(query, variables, token)).body);
    },
    overWebSocket(query, variables = {}, token = tokens.admin) {
      const client = createWebSocketClient({
        url: url.replace('http', 'ws'),
        webSocketImpl: WebSocket,
        connectionParams: { token },
        retryAttempts: 0,
      });
      clients.push(client);
      return client.iterate({ query, variables: { ...variables } });
    },
    overSse(query, variables = {}, token = tokens.admin) {
      const client = createSseClient({ url, headers: { Authorization: `Bearer ${token}` }, retryAttempts: 0 });
      clients.push(client);
      return client.iterate({ query, variables: { ...variables } });
    },
    device: (name, options = {}) => simulate(transport, name, options),
    async otherDevice(name, options = {}) {
      const { id } = await fleet.devices.provision(adminOf(GLOBEX), { endpoint: name });
      holders.set(CREDENTIAL, { credentialId: CREDENTIAL, tenantId: GLOBEX, deviceId: id, endpoint: name });
      return simulate(provingTransport, name, options);
    },
    async stop() {
      for (const client of clients) await client.dispose();
      await server.close();
      for (const device of devices) await device.vanish();
      await lwm2m.stop();
      await running.stop();
      await endpoint.close();
      await provingEndpoint.close();
      bus.close();
    },
  };
}

const CREDENTIAL = 'the-credential-of-globex';

/** A transport whose peers have a credential of the second tenant. */
function proved(udp: UdpTransport): Transport {
  const security = { kind: 'psk', name: 'globex', credential: CREDENTIAL } as const;
  return {
    kind: udp.kind,
    send: (peer, datagram) => udp.send(peer, datagram),
    onDatagram: (receive) =>
      udp.onDatagram(({ key, address, port }, datagram) => receive({ key, address, port, security }, datagram)),
    onPeerGone: () => udp.onPeerGone(),
    close: () => udp.close(),
  };
}

/** Returns the next result of a subscription; fails when it has ended. */
export async function next(
  results: AsyncIterator<FormattedExecutionResult>,
): Promise<FormattedExecutionResult<Record<string, unknown>>> {
  const result = await results.next();
  if (result.done) throw new Error('the subscription has ended');
  return result.value as FormattedExecutionResult<Record<string, unknown>>;
}

/** Returns the data of a result without errors, typed by the test that knows the query. */
export function dataOf<T = Record<string, unknown>>({ data, errors }: FormattedExecutionResult): T {
  if (errors || !data) throw new Error(`errors: ${JSON.stringify(errors)}`);
  return data as T;
}
