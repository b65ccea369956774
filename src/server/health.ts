import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from '../fleet/index.ts';
import { authenticate, tokenOfRequest } from './authentication.ts';

/** Whether the process can do its work, and for each thing it needs, how that is. */
export interface Readiness {
  readonly ready: boolean;
  /** `{ database: 'ok', broker: 'unreachable since 12:00' }`, without secrets. */
  readonly checks: Readonly<Record<string, string>>;
}

/** Prometheus text and its content type, as a prom-client registry gives them. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

export interface Health {
  ready(): Promise<Readiness>;
  metrics(): Promise<MetricsText>;
}

/** The process lives: asks nothing of anybody. */
export function answerLiveness(response: ServerResponse): void {
  answer(response, 200, 'application/json', JSON.stringify({ status: 'ok' }));
}

export async function answerReadiness(response: ServerResponse, health: Health, closing: boolean): Promise<void> {
  const readiness = closing ? { ready: false, checks: { server: 'closing' } } : await health.ready();
  answer(response, readiness.ready ? 200 : 503, 'application/json', JSON.stringify(readiness));
}

/**
 * Metrics tell of the whole process, so they are for who runs it: a scraper on this machine, or one with an admin's
 * token. What a proxy on this machine passes on comes from somewhere else.
 */
export async function answerMetrics(
  request: IncomingMessage,
  response: ServerResponse,
  health: Health,
  access: Access,
): Promise<void> {
  if (!fromThisMachine(request)) {
    const { actor } = await authenticate(access, tokenOfRequest(request));
    if (actor?.role !== 'admin') {
      response.setHeader('WWW-Authenticate', 'Bearer realm="treeline"');
      return answer(
        response,
        401,
        'text/plain; charset=utf-8',
        'Metrics are for this machine, or for an admin token.\n',
      );
    }
  }
  const { contentType, text } = await health.metrics();
  answer(response, 200, contentType, text);
}

function fromThisMachine({ socket, headers }: IncomingMessage): boolean {
  if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined) return false;
  const address = socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
  return address === '::1' || address.startsWith('127.');
}

function answer(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Cache-Control': 'no-store' }).end(body);
}
