/**
 * A server for test/bench/dtls-load.ts. It runs in a separate process, so that the CPU time of the load does not count.
 * `dtls` and `udp` both echo the messages of devices.
 */
import { createSocket } from 'node:dgram';

import { DEFAULT_LIMITS, DtlsServer } from '../../src/dtls/index.ts';
import { BENCH_CREDENTIALS, benchIdentity } from './dtls-device.ts';

const HOST = '127.0.0.1';

const servers: Readonly<Record<string, () => Promise<number>>> = {
  async udp() {
    const socket = createSocket({ type: 'udp4', lookup: (address, _options, found) => found(null, address, 4) });
    socket.on('message', (datagram, { port, address }) => socket.send(datagram, port, address));
    await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
    return socket.address().port;
  },
  async dtls() {
    const server = await DtlsServer.bind({
      hosts: [HOST],
      port: 0,
      credentials: BENCH_CREDENTIALS,
      // All devices of the load share one credential.
      settings: { identity: benchIdentity(), limits: { ...DEFAULT_LIMITS, sessionsPerCredential: Infinity } },
    });
    server.onDatagram((peer, datagram) => server.send(peer, datagram));
    return server.addresses[0]?.port ?? 0;
  },
};

const start = servers[process.argv[2] ?? ''];
if (!start || !process.send) throw new Error('only test/bench/dtls-load.ts can start this script');
const port = await start();
process.on('SIGINT', () => process.exit());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.send(port);
