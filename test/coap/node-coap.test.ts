import { once } from 'node:events';
import coap from 'coap';
import { afterEach, describe, expect, it } from 'vitest';
import {
  codes,
  createCoapEndpoint,
  udpPeer,
  UdpTransport,
  type CoapEndpoint,
  type IncomingRequest,
  type Peer,
} from '../../src/coap/index.ts';
import { nothing, text } from './reading.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const closable of open.splice(0).reverse()) await closable.close();
});

const LARGE = Buffer.from(Array.from({ length: 5_000 }, (_, index) => 97 + (index % 26)));

async function endpointAt(host: string): Promise<{ endpoint: CoapEndpoint; port: number }> {
  const transport = await UdpTransport.bind({ hosts: [host], port: 0 });
  const endpoint = createCoapEndpoint({ transport });
  open.push(endpoint);
  return { endpoint, port: transport.addresses[0]?.port ?? 0 };
}

describe.each([
  ['127.0.0.1', 'udp4'],
  ['::1', 'udp6'],
] as const)('a node-coap client at %s', (host, type) => {
  /** Sends a request to the server with node-coap, and resolves with node-coap's response. */
  async function ask(port: number, request: coap.CoapRequestParams, payload?: Buffer): Promise<coap.IncomingMessage> {
    const agent = new coap.Agent({ type });
    open.push(agent);
    const outgoing = coap.request({ hostname: host, port, agent, ...request });
    if (payload && payload.length > 1024) outgoing.setOption('Block1', Buffer.of(0x06));
    outgoing.end(payload);
    const [response] = (await once(outgoing, 'response')) as [coap.IncomingMessage];
    return response;
  }

  it('registers and gets its location', async () => {
    const { endpoint, port } = await endpointAt(host);
    let seen: IncomingRequest | undefined;
    endpoint.onRequest(async (request) => {
      seen = request;
      return { code: codes.created, locationPath: ['rd', '5a3f'] };
    });
    const options = { 'Content-Format': 'application/link-format' };
    const response = await ask(
      port,
      { method: 'POST', pathname: '/rd', query: 'ep=a&lt=60', options },
      Buffer.from('</3/0>'),
    );
    expect(response.code).toBe('2.01');
    // For a repeated option, node-coap's headers contain only the last.
    expect(response.headers['Location-Path']).toBe('5a3f');
    expect(seen).toMatchObject({ method: 'POST', path: ['rd'], query: ['ep=a', 'lt=60'], contentFormat: 40 });
    expect(text(seen?.payload)).toBe('</3/0>');
  });

  it('sends 5,000 bytes in blocks', async () => {
    const { endpoint, port } = await endpointAt(host);
    let length = 0;
    endpoint.onRequest(async ({ payload }) => {
      length = payload.length;
      return { code: codes.changed };
    });
    const response = await ask(port, { method: 'POST', pathname: '/dp' }, LARGE);
    expect(response.code).toBe('2.04');
    expect(length).toBe(5_000);
  });

  it('reads 5,000 bytes in blocks', async () => {
    const { endpoint, port } = await endpointAt(host);
    endpoint.onRequest(async () => ({ code: codes.content, payload: LARGE }));
    const response = await ask(port, { method: 'GET', pathname: '/large' });
    expect(response.payload.equals(LARGE)).toBe(true);
  });
});

describe.each([
  ['127.0.0.1', 'udp4'],
  ['::1', 'udp6'],
] as const)('a node-coap device at %s', (host, type) => {
  async function device(
    listener: (request: coap.IncomingMessage, response: coap.OutgoingMessage) => void,
  ): Promise<Peer> {
    const server = coap.createServer({ type });
    server.on('request', listener);
    await new Promise<void>((resolve) => void server.listen(0, host, () => resolve()));
    open.push(server);
    // Only node-coap's socket has its port.
    const socket = (server as unknown as { _sock: { address(): { port: number } } })._sock;
    return udpPeer(host, socket.address().port);
  }

  it('is read, small and large', async () => {
    const peer = await device((request, response) => {
      response.setOption('Content-Format', 110);
      response.end(request.url === '/large' ? LARGE : Buffer.from(`${request.method} ${request.url}`));
    });
    const { endpoint } = await endpointAt(host);
    const small = await endpoint.request(peer, { method: 'GET', path: ['3', '0'], query: ['depth=1'] });
    expect(small).toMatchObject({ code: codes.content, contentFormat: 110 });
    expect(text(small.payload)).toBe('GET /3/0?depth=1');
    const large = await endpoint.request(peer, { method: 'GET', path: ['large'] });
    expect(LARGE.equals(large.payload)).toBe(true);
  });

  it('is written in blocks', async () => {
    let written: Buffer | undefined;
    const peer = await device((request, response) => {
      written = request.payload;
      response.code = '2.04';
      response.end();
    });
    const { endpoint } = await endpointAt(host);
    const response = await endpoint.request(peer, {
      method: 'PUT',
      path: ['5', '0', '0'],
      contentFormat: 42,
      payload: LARGE,
    });
    expect(response.code).toBe(codes.changed);
    expect(written?.equals(LARGE)).toBe(true);
  });

  it('answers FETCH and iPATCH', async () => {
    const peer = await device((request, response) => {
      response.end(`${request.method} ${request.payload.toString()}`);
    });
    const { endpoint } = await endpointAt(host);
    for (const method of ['FETCH', 'iPATCH'] as const) {
      const response = await endpoint.request(peer, {
        method,
        path: [],
        contentFormat: 110,
        payload: Buffer.from('[]'),
      });
      expect(text(response.payload)).toBe(`${method} []`);
    }
  });

  it('answers with a separate response', async () => {
    let finish: () => void = nothing;
    const peer = await device((_request, response) => {
      finish = () => response.end('late');
    });
    const { endpoint } = await endpointAt(host);
    let acknowledge: () => void = nothing;
    const acknowledged = new Promise<void>((resolve) => (acknowledge = resolve));
    const request = endpoint.request(peer, { method: 'GET', path: ['3'], onAcknowledged: acknowledge });
    await acknowledged;
    finish();
    expect(text((await request).payload)).toBe('late');
  });

  it('sends notifications until the observation is cancelled', async () => {
    const streams: coap.OutgoingMessage[] = [];
    let cancelled = false;
    const peer = await device((request, response) => {
      if (request.headers.Observe === 0) {
        streams.push(response);
        response.write('0');
      } else {
        cancelled = request.headers.Observe === 1;
        response.end('end');
      }
    });
    const { endpoint } = await endpointAt(host);
    const heard: string[] = [];
    let wake: () => void = nothing;
    const { response, observation } = await endpoint.observe(
      peer,
      { method: 'GET', path: ['3303', '0', '5700'] },
      async ({ payload }) => {
        heard.push(text(payload));
        wake();
      },
    );
    expect(text(response.payload)).toBe('0');
    for (let value = 1; value <= 3; value++) {
      const arrived = new Promise<void>((resolve) => (wake = resolve));
      streams[0]?.write(String(value));
      await arrived;
    }
    expect(heard).toEqual(['1', '2', '3']);
    expect(text((await observation?.cancel())?.payload)).toBe('end');
    expect(cancelled).toBe(true);
    expect(endpoint.metrics()).toMatchObject({ observations: 0, operations: 0 });
  });
});
