import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { codes, TcpTransport } from '../../src/coap/index.ts';
import { createServerIdentity } from '../../src/dtls/index.ts';
import { Path } from '../../src/lwm2m/index.ts';
import { firmwarePackage, SimulatedDevice } from '../../src/simulator/index.ts';
import type { Channel } from '../../src/simulator/index.ts';
import { certify } from '../dtls/certificates.ts';
import { serveRegistrations } from '../dtls/serving.ts';

const DAY = 86_400_000;
const PING = Buffer.from('01e2aa', 'hex');
const PONG = Buffer.from('01e3aa', 'hex');
const CSM = Buffer.from('00e1', 'hex');

let device: SimulatedDevice;
const said: string[] = [];
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await device.vanish();
  for (const close of closing.splice(0)) await close();
  said.length = 0;
});

function simulated(port: number, channel: Channel): SimulatedDevice {
  device = new SimulatedDevice({
    endpoint: 'device',
    accounts: [{ server: { host: '127.0.0.1', port, channel }, shortServerId: 123, lifetime: 300 }],
    objects: [3303],
    driftMs: 0,
    log: (line) => said.push(line),
  });
  return device;
}

async function serving(transport: TcpTransport) {
  const { endpoint, next } = serveRegistrations(transport);
  closing.push(() => endpoint.close());
  return { endpoint, next, port: transport.addresses[0]?.port ?? 0 };
}

/** A TCP server without CoAP. */
async function listening(accept: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    accept(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

it('registers over TCP, answers a Read and accepts a Write in blocks', async () => {
  const { endpoint, next, port } = await serving(await TcpTransport.bind({ hosts: ['127.0.0.1'], port: 0 }));
  await simulated(port, { kind: 'tcp' }).start();
  const peer = await next();
  expect(device.location).toBe('/rd/1');
  expect(device.tree.value(Path.of(1, 0, 7))).toEqual({ type: 'String', value: 'T' });
  const { code } = await endpoint.request(peer, { method: 'GET', path: ['3', '0', '0'] });
  expect(code).toBe(codes.content);
  const payload = firmwarePackage('2.0.0', Buffer.alloc(5_000));
  const written = await endpoint.request(peer, { method: 'PUT', path: ['5', '0', '0'], contentFormat: 42, payload });
  expect(written.code).toBe(codes.changed);
  expect(device.tree.value(Path.of(5, 0, 3))).toMatchObject({ value: 2 });
});

it('registers over TLS with a certificate, and sends an Update over a new connection after the first is lost', async () => {
  const valid = { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY };
  const { privateKey, certificate } = certify('device', null, valid);
  const names = ['localhost', '127.0.0.1'];
  const own = createServerIdentity({ commonName: 'localhost', names, now: Date.now(), days: 2 });
  const expected = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const transport = await TcpTransport.bind({
    hosts: ['127.0.0.1'],
    port: 0,
    tls: {
      ...own,
      identify: async ([first]) => {
        const shown = first && new X509Certificate(first).publicKey.export({ format: 'der', type: 'spki' });
        return shown && expected.equals(shown) ? { kind: 'x509', name: 'device', credential: 'factory' } : null;
      },
    },
  });
  const { next, port } = await serving(transport);
  const credentials = {
    certificate: new X509Certificate(certificate).toString(),
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    authorities: own.certificates,
  };
  await simulated(port, { kind: 'tls', credentials }).start();
  const first = await next();
  expect(first.security).toMatchObject({ kind: 'x509', name: 'device' });
  transport.endSessions('factory');
  const second = await next();
  expect(second.key).not.toBe(first.key);
  await expect.poll(() => said).toContain('updated the registration');
});

it('retries soon when the connection ends before the response', async () => {
  const port = await listening((socket) => socket.once('data', () => socket.destroy()));
  await simulated(port, { kind: 'tcp' }).start();
  expect(said.at(-1)).toBe('register → no answer: retrying in 2 s');
});

it('disconnects from a server that does not send a CSM first', async () => {
  const aborted = new Promise<Buffer>((resolve) => {
    void listening((socket) => {
      const heard: Buffer[] = [];
      socket.on('data', (bytes) => heard.push(bytes));
      socket.on('end', () => resolve(Buffer.concat(heard)));
      socket.on('end', () => socket.end());
      socket.write(PING);
    }).then((port) => simulated(port, { kind: 'tcp' }).start());
  });
  expect((await aborted).subarray(-2).toString('hex')).toBe('00e5');
});

it('sends its own CSM first, and answers a Ping', async () => {
  const exchanged = new Promise<Buffer>((resolve) => {
    void listening((socket) => {
      let heard = Buffer.alloc(0);
      socket.on('data', (bytes) => {
        heard = Buffer.concat([heard, bytes]);
        if (heard.subarray(-PONG.length).equals(PONG)) resolve(heard);
      });
      socket.on('end', () => socket.end());
      socket.write(Buffer.concat([CSM, PING]));
    }).then((port) => simulated(port, { kind: 'tcp' }).start());
  });
  expect((await exchanged).subarray(0, 3).toString('hex')).toBe('10e140');
});
