import { pino } from 'pino';
import { expect, it } from 'vitest';
import { codes, udpPeer, type CoapEndpoint } from '../../src/coap/index.ts';
import { withExchangeLog } from '../../src/composition/exchange-log.ts';
import { SimulatedNetwork } from '../coap/network.ts';

const DEVICE = udpPeer('192.0.2.2', 5683);
const SERVER = udpPeer('192.0.2.1', 5683);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const hex = (value: string): string => Buffer.from(value).toString('hex');

interface Line {
  readonly level: number;
  readonly method: string;
  readonly path: string;
}

function world(level: string) {
  const network = new SimulatedNetwork();
  const lines: Line[] = [];
  const log = pino({ level, base: null, timestamp: false }, { write: (line) => void lines.push(JSON.parse(line)) });
  const plain = network.endpoint(SERVER.address);
  const server = withExchangeLog(plain, { log, clock: network.clock, transport: 'udp' });
  const device = network.endpoint(DEVICE.address);
  async function during<T>(work: Promise<T>): Promise<T> {
    const [result] = await Promise.allSettled([work, network.clock.advance(100)]);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }
  return { lines, plain, server, device, during };
}

function answering(endpoint: CoapEndpoint, payload: string): void {
  endpoint.onRequest(async () => ({ code: codes.content, contentFormat: 0, payload: text(payload) }));
}

it('logs one line for each exchange at debug, without bytes', async () => {
  const { lines, server, device, during } = world('debug');
  answering(device, '22.5');
  answering(server, '');
  await during(server.request(DEVICE, { method: 'GET', path: ['3303', '0', '5700'], accept: 0 }));
  await during(device.request(SERVER, { method: 'POST', path: ['rd', 'location-of-it'], query: ['lt=60'] }));
  const common = { level: 20, transport: 'udp', peer: '192.0.2.2:5683', ms: expect.any(Number), msg: 'CoAP exchange' };
  expect(lines).toEqual([
    { ...common, direction: 'out', method: 'GET', path: '/3303/0/5700', answerFormat: 0, code: '2.05' },
    { ...common, direction: 'in', method: 'POST', path: '/rd/…', answerFormat: 0, code: '2.05' },
  ]);
});

it('logs an exchange that fails with the reason', async () => {
  const { lines, server, during } = world('debug');
  const request = { method: 'GET', path: ['3'], signal: AbortSignal.abort() } as const;
  await expect(during(server.request(DEVICE, request))).rejects.toThrow();
  expect(lines).toMatchObject([{ path: '/3', error: expect.stringMatching(/./) }]);
});

it('logs an Observe', async () => {
  const { lines, server, device, during } = world('debug');
  answering(device, '80');
  await during(server.observe(DEVICE, { method: 'GET', path: ['3', '0', '9'] }, async () => {}));
  expect(lines).toMatchObject([{ direction: 'out', method: 'GET', path: '/3/0/9', code: '2.05' }]);
});

it('logs the bytes that a device sent at trace, and none that may hold a key', async () => {
  const { lines, server, device, during } = world('trace');
  answering(device, 'from the device');
  answering(server, 'key of a bootstrap');
  await during(server.request(DEVICE, { method: 'GET', path: ['3', '0', '0'] }));
  await during(server.request(DEVICE, { method: 'PUT', path: ['3', '0', '15'], payload: text('written') }));
  await during(server.request(DEVICE, { method: 'GET', path: ['0', '0', '5'] }));
  await during(server.request(DEVICE, { method: 'FETCH', path: [], payload: text('paths') }));
  await during(device.request(SERVER, { method: 'POST', path: ['dp'], payload: text('sent') }));
  expect(lines).toMatchObject([
    { level: 10, path: '/3/0/0', answerBytes: hex('from the device') },
    { path: '/3/0/15', bytes: '7 bytes, not shown', answerBytes: hex('from the device') },
    { path: '/0/0/5', answerBytes: '15 bytes, not shown' },
    { path: '/', bytes: hex('paths'), answerBytes: '15 bytes, not shown' },
    { path: '/dp', bytes: hex('sent') },
  ]);
  const whole = JSON.stringify(lines);
  for (const secret of ['written', 'key of a bootstrap']) expect(whole).not.toContain(hex(secret));
});

it('is the endpoint itself at info', () => {
  const { plain, server } = world('info');
  expect(server).toBe(plain);
});
