import type { ServerResponse } from 'node:http';
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

/**
 * Metrics describe the whole process, so they are for admins. `caller` finds the actor of the request; null: everybody
 * may read them.
 */
export async function answerMetrics(
  response: ServerResponse,
  health: Health,
  caller: (() => Promise<Actor | null>) | null,
): Promise<void> {
  if (caller !== null && (await caller())?.role !== 'admin') {
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

function answer(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Cache-Control': 'no-store' }).end(body);
}
