import { createServer } from 'node:net';

/** A TCP port of the loopback that the system had free; for peers that can't be told to pick their own. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no TCP port')),
      );
    });
  });
}
