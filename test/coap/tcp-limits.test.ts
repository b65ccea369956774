import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { TcpTransport, type TcpBinding } from '../../src/coap/index.ts';
import { NO_BYTES } from '../../src/coap/message.ts';
import { createServerIdentity } from '../../src/dtls/index.ts';
import { certify, START } from '../dtls/certificates.ts';
import { ManualClock } from '../manual-clock.ts';
import { StreamClient } from './stream-client.ts';

const device = certify('device', null);
const identify = async () => ({ kind: 'x509', name: 'device', credential: 'c' }) as const;

/** Unlike `once`, it does not reject when the socket reports an error first. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

describe('TCP connections', () => {
  let transport: TcpTransport;
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await transport.close();
  });

  async function serve(limits: Partial<TcpBinding>): Promise<void> {
    transport = await TcpTransport.bind({ hosts: ['127.0.0.1'], port: 0, clock: new ManualClock(), ...limits });
  }

  const target = () => ({ host: '127.0.0.1', port: transport.addresses[0]?.port ?? 0 });

  /** A connection that sends nothing; resolves when the server has accepted it. */
  async function idle(localAddress: string): Promise<Socket> {
    const socket = connect({ ...target(), localAddress });
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'data');
    return socket;
  }

  /** A connection whose peer sent its CSM; the server answered its Ping. */
  async function introduced(localAddress: string): Promise<StreamClient> {
    const socket = connect({ ...target(), localAddress });
    sockets.push(socket);
    socket.on('error', () => {});
    const client = new StreamClient(socket);
    expect(await client.next()).toMatchObject({ code: 0xe1 });
    client.send(0xe1, NO_BYTES, []);
    client.send(0xe2, NO_BYTES, []);
    expect(await client.next()).toMatchObject({ code: 0xe3 });
    return client;
  }

  it('from one address make room for a newcomer: the oldest without a CSM is closed', async () => {
    await serve({ connectionsPerAddress: 3 });
    await introduced('127.0.0.2');
    const oldest = await idle('127.0.0.2');
    await idle('127.0.0.2');
    const closed = closing(oldest);
    await introduced('127.0.0.2');
    await closed;
    expect(transport.metrics).toEqual({ connections: 3, evicted: 1, refused: 0 });
  });

  it('from one address are refused at its limit when all have sent a CSM; another address is admitted', async () => {
    await serve({ connectionsPerAddress: 2 });
    await introduced('127.0.0.2');
    await introduced('127.0.0.2');
    const refused = connect({ ...target(), localAddress: '127.0.0.2' });
    refused.on('error', () => {});
    await closing(refused);
    await introduced('127.0.0.3');
    expect(transport.metrics).toEqual({ connections: 3, evicted: 0, refused: 1 });
  });

  it('at the total limit lose the oldest without a CSM of the address with the most', async () => {
    await serve({ connections: 4 });
    await idle('127.0.0.3');
    const oldest = await idle('127.0.0.2');
    await idle('127.0.0.2');
    await idle('127.0.0.2');
    const closed = closing(oldest);
    await introduced('127.0.0.4');
    await closed;
    expect(transport.metrics).toEqual({ connections: 4, evicted: 1, refused: 0 });
  });

  it('stay few when one address opens 2,000, and a device of another address is served', async () => {
    await serve({});
    for (let batch = 0; batch < 8; batch++) {
      await Promise.all(Array.from({ length: 250 }, () => idle('127.0.0.2')));
    }
    const device = await introduced('127.0.0.3');
    device.send(0xe2, NO_BYTES, []);
    expect(await device.next()).toMatchObject({ code: 0xe3 });
    expect(transport.metrics).toEqual({ connections: 1_001, evicted: 1_000, refused: 0 });
  }, 60_000);

  it('in a TLS handshake make room for a device, and admitted ones do not', async () => {
    const server = createServerIdentity({ commonName: 'server', names: ['localhost'], now: START, days: 10 });
    await serve({ connectionsPerAddress: 2, tls: { ...server, identify } });
    const silent = Array.from({ length: 5 }, () => connect(target()));
    for (const socket of silent) socket.on('error', () => {});
    sockets.push(...silent);
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    const secured = () => {
      const socket = connectTls({
        ...target(),
        rejectUnauthorized: false,
        ALPNProtocols: ['coap'],
        cert: new X509Certificate(device.certificate).toString(),
        key: device.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      });
      sockets.push(socket);
      socket.on('error', () => {});
      return socket;
    };
    await once(secured(), 'data');
    await once(secured(), 'data');
    await closing(secured());
    expect(transport.metrics).toEqual({ connections: 2, evicted: 5, refused: 1 });
  });
});
