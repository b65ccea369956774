import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { extname, join } from 'node:path';

export type ServerKind = 'raw' | 'treeline' | 'node-coap';

export interface ServerCost {
  readonly requests: number;
  /** The user and system time of the server's process. */
  readonly cpuMicrosecondsPerRequest: number;
  /** The memory that the server uses after the last response: the replies kept for duplicates. */
  readonly bytesPerRequest: number;
}

const HOST = '127.0.0.1';
const WARM_UP = 20_000;
/** The number of pending requests: the server is never idle and its receive buffer never full. */
const WINDOW = 16;
const SOCKETS = 8;
/** After this time without a response, a request counts as lost and the next one is sent. */
const LOST_MS = 500;

/** `POST /rd/5a3f?lt=300` of a device, with placeholders for message ID and token. */
function update(): Buffer {
  return Buffer.from(`44020000000000 00b27264043561 3366 46 6c743d333030`.replaceAll(' ', ''), 'hex');
}

/** Starts a server of that kind, keeps it busy with Updates of a few peers, and returns the cost per request. */
export async function measureServer(kind: ServerKind, requests: number): Promise<ServerCost> {
  const script = join(import.meta.dirname, `coap-server${extname(import.meta.filename)}`);
  const server = fork(script, [kind]);
  try {
    const [{ port }] = (await once(server, 'message')) as [{ port: number }];
    const sample = async (): Promise<{ cpuMicroseconds: number; bytes: number }> => {
      server.send('sample');
      const [usage] = (await once(server, 'message')) as [{ cpuMicroseconds: number; bytes: number }];
      return usage;
    };
    await load(port, WARM_UP);
    const before = await sample();
    await load(port, requests);
    const after = await sample();
    return {
      requests,
      cpuMicrosecondsPerRequest: (after.cpuMicroseconds - before.cpuMicroseconds) / requests,
      bytesPerRequest: (after.bytes - before.bytes) / requests,
    };
  } finally {
    server.kill();
  }
}

/** Sends that many requests, WINDOW of them at a time; each response starts the next request. */
async function load(port: number, requests: number): Promise<void> {
  // The load never sleeps: the server's sends would pay for waking it, the more the faster the load is.
  let busy = true;
  const spin = (): void => {
    if (busy) setImmediate(spin);
  };
  spin();
  const clients = await Promise.all(Array.from({ length: SOCKETS }, () => connected(port)));
  let left = requests;
  let messageId = 0;
  await Promise.all(
    clients.map(
      (client) =>
        new Promise<void>((resolve) => {
          let inFlight = 0;
          let answeredAt = Date.now();
          const send = (): void => {
            if (left === 0) {
              if (inFlight === 0) finish();
              return;
            }
            left--;
            inFlight++;
            const datagram = update();
            datagram.writeUInt16BE(messageId++ & 0xffff, 2);
            datagram.writeUInt32BE(messageId, 4);
            client.send(datagram);
          };
          const watch = setInterval(() => {
            if (Date.now() - answeredAt < LOST_MS) return;
            inFlight = 0;
            for (let index = 0; index < WINDOW / SOCKETS; index++) send();
          }, LOST_MS);
          const finish = (): void => {
            clearInterval(watch);
            client.removeAllListeners('message');
            resolve();
          };
          client.on('message', () => {
            answeredAt = Date.now();
            inFlight = Math.max(0, inFlight - 1);
            send();
          });
          for (let index = 0; index < WINDOW / SOCKETS; index++) send();
        }),
    ),
  );
  busy = false;
  for (const client of clients) client.close();
}

async function connected(port: number): Promise<ReturnType<typeof createSocket>> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(port, HOST, resolve));
  return socket;
}
