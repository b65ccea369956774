import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import {
  formatCode,
  type CoapEndpoint,
  type IncomingResponse,
  type Method,
  type NotificationHandler,
  type Peer,
} from '../coap/index.ts';
import { addressWithPort } from '../network/index.ts';

/** The parts of a request that a log line shows. */
interface Shown {
  readonly method: Method;
  readonly path: readonly string[];
  readonly contentFormat?: number | null | undefined;
  readonly payload?: Uint8Array | undefined;
}

interface Answer {
  readonly code: number;
  readonly contentFormat?: number | null | undefined;
  readonly payload?: Uint8Array | undefined;
}

/**
 * Logs the exchanges of an endpoint: at `debug` one line for each, with method, path, formats, code and milliseconds; at
 * `trace` also the bytes. Lines have no query and no location of a registration (over NoSec, it authorises an Update).
 * They have no payload that may hold keys: none that the server writes, and none of a response that can contain a
 * Security object, as that of a composite operation. At higher levels, the endpoint is returned as it is.
 */
export function withExchangeLog(
  endpoint: CoapEndpoint,
  { log, clock, transport }: { readonly log: Logger; readonly clock: Clock; readonly transport: string },
): CoapEndpoint {
  if (!log.isLevelEnabled('debug')) return endpoint;
  const withBytes = log.isLevelEnabled('trace');

  function write(direction: 'in' | 'out', peer: Peer, request: Shown, answer: Answer | string, since: number): void {
    const ended = typeof answer === 'string' ? { error: answer } : { code: formatCode(answer.code) };
    const formats = {
      ...(request.contentFormat != null && { contentFormat: request.contentFormat }),
      ...(typeof answer !== 'string' && answer.contentFormat != null && { answerFormat: answer.contentFormat }),
    };
    const line = {
      transport,
      direction,
      peer: addressWithPort(peer),
      method: request.method,
      path: pathOf(request),
      ...formats,
      ...ended,
      ms: Math.round(clock.now() - since),
    };
    if (withBytes) log.trace({ ...line, ...bytesOf(direction, request, answer) }, 'CoAP exchange');
    else log.debug(line, 'CoAP exchange');
  }

  async function logged<T>(
    direction: 'in' | 'out',
    peer: Peer,
    request: Shown,
    work: () => Promise<T>,
    answerOf: (result: T) => Answer,
  ): Promise<T> {
    const since = clock.now();
    try {
      const result = await work();
      write(direction, peer, request, answerOf(result), since);
      return result;
    } catch (error) {
      write(direction, peer, request, error instanceof Error ? error.message : String(error), since);
      throw error;
    }
  }

  /** A notification is logged when it was handled: then it is acknowledged. */
  const notified =
    (peer: Peer, request: Shown, handle: NotificationHandler): NotificationHandler =>
    (notification) =>
      logged(
        'in',
        peer,
        { method: request.method, path: request.path },
        () => handle(notification),
        () => notification,
      );

  return {
    onRequest: (handler) =>
      endpoint.onRequest((request) =>
        logged(
          'in',
          request.peer,
          request,
          () => handler(request),
          // The server's own payloads may hold keys: the answer to a Bootstrap-Pack-Request does.
          ({ code, contentFormat }) => ({ code, contentFormat }),
        ),
      ),
    request: (peer, request) =>
      logged(
        'out',
        peer,
        request,
        () => endpoint.request(peer, request),
        (answer: IncomingResponse) => answer,
      ),
    observe: (peer, request, handle) =>
      logged(
        'out',
        peer,
        request,
        () => endpoint.observe(peer, request, notified(peer, request, handle)),
        ({ response }) => response,
      ),
    resumeObservation: (peer, token, request, handle) =>
      endpoint.resumeObservation(peer, token, request, notified(peer, request, handle)),
    open: () => endpoint.open(),
    movePeer: (from, to) => endpoint.movePeer(from, to),
    hasten: (peer) => endpoint.hasten(peer),
    onPeerArrived: (arrived) => endpoint.onPeerArrived(arrived),
    onPeerGone: (gone) => endpoint.onPeerGone(gone),
    metrics: () => endpoint.metrics(),
    close: () => endpoint.close(),
  };
}

function pathOf({ path }: Shown): string {
  return path[0] === 'rd' && path.length > 1 ? '/rd/…' : `/${path.join('/')}`;
}

function bytesOf(direction: 'in' | 'out', request: Shown, answer: Answer | string): object {
  const sent = direction === 'out' && request.method !== 'GET' && request.method !== 'FETCH';
  const answered = typeof answer === 'string' ? undefined : answer.payload;
  return {
    ...(request.payload?.length && { bytes: sent ? omitted(request.payload) : hex(request.payload) }),
    ...(answered?.length && { answerBytes: mayHoldKeys(request) ? omitted(answered) : hex(answered) }),
  };
}

/** True unless the path names an object other than Security. An alternate path may precede the object. */
function mayHoldKeys({ path }: Shown): boolean {
  const object = path.find((segment) => /^\d+$/.test(segment));
  return object === undefined || object === '0';
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function omitted(bytes: Uint8Array): string {
  return `${bytes.length} bytes, not shown`;
}
