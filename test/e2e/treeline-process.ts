import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { DatabaseLocation } from '../../src/store/index.ts';
import { freshDatabase } from '../store/database.ts';

export const ADMIN_TOKEN = 'end-to-end-admin-token';

type Variables = Record<string, unknown>;

/** `treeline serve` in a separate process, with clients for its public interfaces. */
export interface TreelineProcess {
  readonly graphql: string;
  readonly coap: { readonly host: string; readonly port: number };
  readonly coaps: { readonly host: string; readonly port: number };
  readonly pid: number;
  /** Standard output and standard error so far. */
  readonly output: () => string;
  /** Posts one operation and resolves with its `data`, typed by the test; rejects when there are errors. */
  query<T>(document: string, variables?: Variables): Promise<T>;
  webSocket<T>(document: string, variables?: Variables): AsyncGenerator<T>;
  sse<T>(document: string, variables?: Variables): AsyncGenerator<T>;
  /** The text of /metrics. */
  metrics(): Promise<string>;
  /** Resolves with the exit code when the process has ended and all its output has been received. */
  ended(): Promise<number | null>;
  /** Sends SIGINT and resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Settings with a new database and data directory; `drop` removes both. */
export interface Installation {
  readonly location: DatabaseLocation;
  readonly settings: Record<string, string>;
  readonly drop: () => Promise<void>;
}

export async function freshInstallation(): Promise<Installation> {
  const { location, drop } = await freshDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'treeline-e2e-'));
  if (location.kind === 'embedded') await symlink(location.directory, join(dataDir, 'database'));
  const database = location.kind === 'embedded' ? '' : location.url;
  return {
    location,
    settings: {
      DATABASE_URL: database,
      TREELINE_DATA_DIR: dataDir,
      TREELINE_AUTO_PROVISION: 'true',
      TREELINE_NOSEC_BOOTSTRAP: 'true',
    },
    async drop() {
      await rm(dataDir, { recursive: true, force: true });
      await drop();
    },
  };
}

/** Runs `treeline serve` on ports that the system picks, with a fresh database unless `environment` names one. */
export async function runTreeline(environment: Record<string, string> = {}): Promise<TreelineProcess> {
  const own = 'TREELINE_DATA_DIR' in environment ? null : await freshInstallation();
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli.ts', 'serve'], {
    env: {
      ...process.env,
      KAFKA_BROKERS: '',
      TREELINE_HTTP_PORT: '0',
      TREELINE_COAP_PORT: '0',
      TREELINE_COAPS_HOST: '127.0.0.1',
      TREELINE_COAPS_PORT: '0',
      TREELINE_BOOTSTRAP_PORT: '0',
      TREELINE_BOOTSTRAP_COAPS_PORT: '0',
      TREELINE_ADMIN_TOKEN: ADMIN_TOKEN,
      ...own?.settings,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'close');
  let output = '';
  const serving = new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('Press Ctrl-C to stop.')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    exited.then(([code]) => reject(new Error(`treeline serve ended with ${code}:\n${output}`)), reject);
  });
  await serving;
  exited.catch(() => {});
  const ended = async (): Promise<number | null> => {
    const [code] = (await exited) as [number | null]; // the arguments of a child's `close` event
    return code;
  };

  const graphql = found(output, /GraphQL\s+(\S+)/);
  const coap = addressOf(found(output, /LwM2M\s+(coap:\/\/\S+)/));
  const coaps = addressOf(found(output, /LwM2M[^]*?\s(coaps:\/\/\S+)/));
  const authorization = `Bearer ${environment['TREELINE_ADMIN_TOKEN'] ?? ADMIN_TOKEN}`;
  const webSockets = createWebSocketClient({
    url: graphql.replace('http:', 'ws:'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
    retryAttempts: 0,
  });
  const events = createSseClient({ url: graphql, headers: { authorization }, retryAttempts: 0 });

  return {
    graphql,
    coap,
    coaps,
    pid: child.pid ?? 0,
    output: () => output,
    async query<T>(query: string, variables?: Variables): Promise<T> {
      const response = await fetch(graphql, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as { data: T; errors?: unknown };
      if (errors) throw new Error(`${response.status}: ${JSON.stringify(errors)}`);
      return data;
    },
    metrics: async () => (await fetch(new URL('/metrics', graphql), { headers: { authorization } })).text(),
    webSocket: (query, variables) => dataOf(webSockets.iterate({ query, ...(variables && { variables }) })),
    sse: (query, variables) => dataOf(events.iterate({ query, ...(variables && { variables }) })),
    ended,
    async stop() {
      child.kill('SIGINT');
      const code = await ended();
      await webSockets.dispose();
      events.dispose();
      await own?.drop();
      return code;
    },
  };
}

async function* dataOf<T>(results: AsyncIterable<{ data?: unknown; errors?: unknown }>): AsyncGenerator<T> {
  for await (const { data, errors } of results) {
    if (errors) throw new Error(JSON.stringify(errors));
    yield data as T; // typed by the test, which knows its query
  }
}

/** Resolves with the first event that `wanted` accepts; rejects after `ms`. */
export async function until<T>(events: AsyncIterable<T>, wanted: (event: T) => boolean, ms = 20_000): Promise<T> {
  const seen: T[] = [];
  const search = (async () => {
    for await (const event of events) {
      seen.push(event);
      if (wanted(event)) return event;
    }
    throw new Error(`the stream ended without the expected event; received: ${JSON.stringify(seen)}`);
  })();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the expected event did not arrive within ${ms} ms; received: ${JSON.stringify(seen)}`)),
      ms,
    );
  });
  try {
    return await Promise.race([search, late]);
  } finally {
    clearTimeout(timer);
  }
}

function addressOf(uri: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(uri.replace(/^coaps?:/, 'http:'));
  return { host: hostname, port: Number(port) };
}

function found(text: string, pattern: RegExp): string {
  const match = pattern.exec(text)?.[1];
  if (match === undefined) throw new Error(`${pattern} is not in:\n${text}`);
  return match;
}
