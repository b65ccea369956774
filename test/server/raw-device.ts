import {
  createCoapEndpoint,
  formatCode,
  UdpTransport,
  type IncomingRequest,
  type OutgoingRequest,
  type OutgoingResponse,
} from '../../src/coap/index.ts';
import { systemClock } from '../../src/clock.ts';

export interface RawAnswer {
  /** `2.04` */
  readonly code: string;
  readonly text: string;
}

/** A CoAP endpoint on loopback that sends what a test gives it, to test what no simulated device would send. */
export interface RawDevice {
  request(request: OutgoingRequest): Promise<RawAnswer>;
  /** POST /rd with the query and the object links. */
  register(query: readonly string[], links: string): Promise<RawAnswer>;
  /** POST /dp with records of SenML JSON. */
  send(records: readonly object[]): Promise<RawAnswer>;
  close(): Promise<void>;
}

/** `answer` answers the requests of the server. */
export async function rawDevice(
  port: number,
  answer: (request: IncomingRequest) => OutgoingResponse = () => ({ code: 0x84 }),
): Promise<RawDevice> {
  const transport = await UdpTransport.bind({ hosts: ['127.0.0.1'], port: 0 });
  const endpoint = createCoapEndpoint({ transport, clock: systemClock });
  endpoint.onRequest(async (request) => answer(request));
  const server = { key: `127.0.0.1:${port}`, address: '127.0.0.1', port, security: null };
  const request = async (outgoing: OutgoingRequest): Promise<RawAnswer> => {
    const { code, payload } = await endpoint.request(server, outgoing);
    return { code: formatCode(code), text: new TextDecoder().decode(payload) };
  };
  const post = (path: string, contentFormat: number, payload: string, query: readonly string[] = []) =>
    request({ method: 'POST', path: [path], query, contentFormat, payload: new TextEncoder().encode(payload) });
  return {
    request,
    register: (query, links) => post('rd', 40, links, query),
    send: (records) => post('dp', 110, JSON.stringify(records)),
    close: () => endpoint.close(),
  };
}
