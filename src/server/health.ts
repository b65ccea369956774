import type { ServerResponse } from 'node:http';
import { answerWithin, type Clock } from '../clock.ts';
import type { Actor } from '../fleet/index.ts';

/** Whether the process can serve requests, with the state of each service that it depends on. */
export interface Readiness {
  readonly ready: boolean;
  /** `{ database: 'ok', broker: 'unreachable since 12:00' }`, without secrets. */
  readonly checks: Readonly<Record<string, string>>;
}

/** Prometheus text and its content type, as a prom-client registry returns them. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

export interface Health {
  ready(): Promise<Readiness>;
  metrics(): Promise<MetricsText>;
}

/** Always answers 200: checks only that the process responds. */
export function answerLiveness(response: ServerResponse): void {
  answer(response, 200, 'application/json', JSON.stringify({ status: 'ok' }));
}

export async function answerReadiness(response: ServerResponse, health: Health, closing: boolean): Promise<void> {
  const readiness = closing ? { ready: false, checks: { server: 'closing' } } : await health.ready();
  answer(response, readiness.ready ? 200 : 503, 'application/json', JSON.stringify(readiness));
}

/** The check of the token and the metrics themselves each take at most this long: together less than two seconds. */
const TOKEN_PATIENCE_MS = 900;

/**
 * Metrics describe the whole process, so they are for admins. `caller` finds the actor of the request; null: everybody
 * may read them. Without an answer about the token, the status is 503.
 */
export async function answerMetrics(
  response: ServerResponse,
  health: Health & { readonly clock: Clock },
  caller: (() => Promise<Actor | null>) | null,
): Promise<void> {
  const role = caller && (await answerWithin(TOKEN_PATIENCE_MS, roleOf(caller), health.clock));
  if (caller !== null && role === null) {
    return answer(
      response,
      503,
      'text/plain; charset=utf-8',
      'The token can’t be checked, because the database does not respond. TREELINE_METRICS_WITHOUT_TOKEN=true makes the metrics independent of it.\n',
    );
  }
  if (caller !== null && role !== 'admin') {
    response.setHeader('WWW-Authenticate', 'Bearer realm="treeline"');
    return answer(
      response,
      401,
      'text/plain; charset=utf-8',
      'Metrics require the token of an admin: Authorization: Bearer <token>. TREELINE_METRICS_WITHOUT_TOKEN=true opens them to everybody.\n',
    );
  }
  const { contentType, text } = await health.metrics();
  answer(response, 200, contentType, text);
}

/** The role of the caller; `none` without a valid token. */
async function roleOf(caller: () => Promise<Actor | null>): Promise<string> {
  return (await caller())?.role ?? 'none';
}

function answer(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Cache-Control': 'no-store' }).end(body);
}
