/**
 * A server for test/bench/coap-load.ts. It runs in a separate process, so that the CPU time of the load does not count.
 * `raw` echoes datagrams, `treeline` and `node-coap` answer each CoAP request with 2.04.
 */
import { createSocket } from 'node:dgram';
import coap from 'coap';
import { codes, createCoapEndpoint, UdpTransport } from '../../src/coap/index.ts';

const HOST = '127.0.0.1';

const servers: Readonly<Record<string, () => Promise<number>>> = {
  async raw() {
    const socket = createSocket('udp4');
    socket.on('message', (datagram, { port, address }) => socket.send(datagram, port, address));
    await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
    return socket.address().port;
  },
  async treeline() {
    const transport = await UdpTransport.bind({ hosts: [HOST], port: 0 });
    createCoapEndpoint({ transport }).onRequest(async () => ({ code: codes.changed }));
    return transport.addresses[0]?.port ?? 0;
  },
  async 'node-coap'() {
    const server = coap.createServer({ type: 'udp4' }, (_request, response) => {
      response.code = '2.04';
      response.end();
    });
    await new Promise<void>((resolve) => void server.listen(0, HOST, () => resolve()));
    // Only node-coap's socket has its port.
    return (server as unknown as { _sock: { address(): { port: number } } })._sock.address().port;
  },
};

const start = servers[process.argv[2] ?? ''];
if (!start || !process.send) throw new Error('only test/bench/coap-load.ts can start this script');
const port = await start();
process.on('message', () => {
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ cpuMicroseconds: user + system, bytes: heapUsed + external });
});
process.send({ port });
