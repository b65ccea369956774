import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type OutgoingMessage, type Server as CoapServer } from 'coap';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCoapEndpoint, UdpTransport, type CoapEndpoint } from '../../src/coap/index.ts';
import { createLwm2mServer, Path, type Lwm2mServer } from '../../src/lwm2m/index.ts';
import { RecordingHandlers } from './recording-handlers.ts';

const temperature = Path.parse('/3303/0/5700');

/** A device on node-coap, with one socket for its requests and its resources as LwM2M requires. */
class NodeCoapDevice {
  readonly asked: string[] = [];
  observing: OutgoingMessage | null = null;
  readonly #socket: Socket;
  readonly #server: CoapServer;
  readonly #agent: Agent;
  readonly #port: number;

  constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.listen(socket);
    this.#agent = new Agent({ socket });
  }

  async request(
    method: 'POST' | 'DELETE',
    pathname: string,
    { query = '', payload = '', format }: { query?: string; payload?: string; format?: number } = {},
  ): Promise<{ code: string; location: string }> {
    const request = this.#agent.request({ hostname: '127.0.0.1', port: this.#port, method, pathname, query });
    if (format !== undefined) request.setOption('Content-Format', format);
    request.end(payload);
    const [response]: IncomingMessage[] = await once(request, 'response');
    if (!response) throw new Error('no response');
    // node-coap keeps the last segment of several.
    return { code: response.code, location: `/rd/${String(response.headers['Location-Path'])}` };
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.observing?.end();
    this.#socket.close();
    await closed;
  }

  #answer(request: IncomingMessage, response: OutgoingMessage): void {
    this.asked.push(`${request.method} ${request.url} ${request.payload.toString()}`.trim());
    if (request.method === 'GET') {
      response.setOption('Content-Format', 0);
      if (request.headers['Observe'] === 0) {
        this.observing = response;
        response.write('21.5');
      } else response.end('22.5');
      return;
    }
    response.code = '2.04';
    response.end();
  }
}

describe('over UDP on the loopback, with a device on node-coap', () => {
  const handlers = new RecordingHandlers();
  let endpoint: CoapEndpoint;
  let server: Lwm2mServer;
  let device: NodeCoapDevice;

  beforeEach(async () => {
    const transport = await UdpTransport.bind({ hosts: ['127.0.0.1'], port: 0 });
    const port = transport.addresses[0]?.port ?? 0;
    endpoint = createCoapEndpoint({ transport });
    server = createLwm2mServer({ endpoints: [{ endpoint, transport: 'udp' }], handlers });
    await server.start({ registrations: [], observations: [] });
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    device = new NodeCoapDevice(socket, port);
  });

  afterEach(async () => {
    await server.stop();
    await endpoint.close();
    await device.close();
  });

  it('performs Register, Read, Write, Execute, Observe, Send, Update and De-register', async () => {
    const links = '</1/0>,</3/0>,</3303/0>';
    const query = 'ep=dev1&lt=300&lwm2m=1.1&b=U';
    const registered = await device.request('POST', '/rd', { query, payload: links, format: 40 });
    expect(registered.code).toBe('2.01');
    expect(server.registration('dev1')?.objects.map(({ objectId }) => objectId)).toEqual([1, 3, 3303]);

    const read = await server.perform('dev1', { kind: 'read', path: temperature });
    expect(read).toMatchObject({ ok: true, code: '2.05' });
    const lifetime = Path.parse('/1/0/1');
    await server.perform('dev1', {
      kind: 'write',
      path: lifetime,
      mode: 'replace',
      values: [{ path: lifetime, value: { type: 'Integer', value: 60 } }],
    });
    await server.perform('dev1', { kind: 'execute', path: Path.parse('/3/0/4'), arguments: {} });
    expect(device.asked).toEqual(['GET /3303/0/5700', 'PUT /1/0/1 60', 'POST /3/0/4']);

    await server.perform('dev1', { kind: 'observe', paths: [temperature] });
    device.observing?.write('23.5');
    await vi.waitFor(() => expect(handlers.values.at(-1)).toBe('/3303/0/5700=23.5'), { interval: 5 });

    const sent = await device.request('POST', '/dp', { payload: '[{"n":"/3/0/9","v":80}]', format: 110 });
    expect(sent.code).toBe('2.04');
    expect(handlers.values.at(-1)).toBe('/3/0/9=80');

    expect((await device.request('POST', registered.location, { query: 'lt=600' })).code).toBe('2.04');
    expect(server.registration('dev1')?.lifetime).toBe(600);
    expect((await device.request('DELETE', registered.location)).code).toBe('2.02');
    expect(server.registration('dev1')).toBeUndefined();
    expect(handlers.events.at(-1)).toBe('not observing /3303/0/5700 registration-ended');
  });
});
