import { pino } from 'pino';
import { afterEach } from 'vitest';

import type { ApiEvents, Services } from '../../schema/index.ts';
import { createEventBus, type EventBus } from '../../src/events/index.ts';
import { DEFAULT_TENANT, type Access, type Actor, type Fleet } from '../../src/fleet/index.ts';
import {
  createHttpServer,
  type HttpServer,
  type HttpServerOptions,
  type HttpSettings,
} from '../../src/server/index.ts';
import { ManualClock } from '../manual-clock.ts';

export const VIEWER: Actor = { tenantId: DEFAULT_TENANT, role: 'viewer', subject: 'key:1', keyId: '1' };
/** The tokens that a bare server knows. */
const ACTORS: Readonly<Record<string, Actor>> = {
  viewer: VIEWER,
  admin: { tenantId: DEFAULT_TENANT, role: 'admin', subject: 'admin-token', keyId: null },
};

/** The HTTP server without a fleet and a database behind it: it knows two tokens, and its clock stands still. */
export interface BareServer {
  readonly server: HttpServer;
  /** Of GraphQL. */
  readonly url: string;
  readonly origin: string;
  readonly clock: ManualClock;
  readonly bus: EventBus<ApiEvents>;
  /** Log lines from `info` upwards. */
  readonly logged: Record<string, unknown>[];
  /** What the server measured, without the times. */
  readonly metered: string[][];
  post(body: object | string, headers?: Record<string, string>): Promise<Response>;
  /** Closes the server, and cuts what a test left open. */
  stop(): Promise<void>;
}

/** Settings for a server on a free port of loopback. */
export const HTTP_SETTINGS: HttpSettings = {
  host: '127.0.0.1',
  port: 0,
  tls: null,
  openMetrics: false,
  allowedOrigins: [],
  localPages: false,
  corsHeaders: [],
  publicUrl: null,
  trustedProxies: [],
  keepAliveMs: 75_000,
  introspection: true,
  graphiql: true,
};

interface BareOptions extends Partial<HttpSettings>, Partial<Pick<HttpServerOptions, 'ready' | 'metrics'>> {
  readonly authenticate?: Access['authenticate'];
}

async function bareServer(options: BareOptions = {}): Promise<BareServer> {
  const { ready, metrics, authenticate, ...settings } = options;
  const clock = new ManualClock();
  const metered: BareServer['metered'] = [];
  const bus = createEventBus<ApiEvents>();
  const logged: BareServer['logged'] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const access = { authenticate: authenticate ?? (async (token: string) => ACTORS[token] ?? null) };
  const server = createHttpServer({
    // The tests ask for nothing else of the fleet.
    fleet: { access, rpcs: { endWaits: () => {} } as unknown as Fleet['rpcs'] } as Services['fleet'],
    telemetry: {
      page: () => Promise.reject(new Error('a bare server has no telemetry')),
      deadLetters: () => Promise.reject(new Error('a bare server has no telemetry')),
    },
    bus,
    settings: { ...HTTP_SETTINGS, ...settings },
    log,
    clock,
    meter: {
      request: (path, status) => void metered.push(['request', path, status]),
      operation: (name, type, outcome) => void metered.push(['operation', name, type, outcome]),
      invalidOperation: () => void metered.push(['invalid operation']),
    },
    ready: ready ?? (async () => ({ ready: true, checks: { database: 'ok' } })),
    metrics: metrics ?? (async () => ({ contentType: 'text/plain', text: 'up 1\n' })),
  });
  const { url } = await server.listen();
  return {
    server,
    url,
    origin: new URL(url).origin,
    clock,
    bus,
    logged,
    metered,
    post: (body, headers = {}) =>
      fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: 'Bearer viewer', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    async stop() {
      const closed = server.close();
      await clock.advance(3_000);
      await closed;
    },
  };
}

/** Bare servers that stop after each test. Use `const start = useBareServers();` at the top of the file. */
export function useBareServers(defaults: BareOptions = {}): typeof bareServer {
  const running: BareServer[] = [];
  afterEach(() => Promise.all(running.splice(0).map((one) => one.stop())));
  return async (options) => {
    const started = await bareServer({ ...defaults, ...options });
    running.push(started);
    return started;
  };
}

/** Resolves when it is so; what it waits for comes over a socket. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
