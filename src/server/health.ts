import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from '../fleet/index.ts';
import { authenticate, tokenOfRequest } from './authentication.ts';

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
 * Metrics describe the whole process, so only its operator may read them: a scraper on this machine or one with an
 * admin token. A request that a proxy on this machine forwards counts as remote.
 */
export async function answerMetrics(
  request: IncomingMessage,
  response: ServerResponse,
  health: Health,
  access: Pick<Access, 'authenticate'>,
): Promise<void> {
  if (!fromThisMachine(request)) {
    const { actor } = await authenticate(access, tokenOfRequest(request));
    if (actor?.role !== 'admin') {
      response.setHeader('WWW-Authenticate', 'Bearer realm="treeline"');
      return answer(
        response,
        401,
        'text/plain; charset=utf-8',
        'Metrics require an admin token (Authorization: Bearer <token>) or a direct request from the same machine.\n',
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
