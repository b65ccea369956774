import { fork } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { extname, join } from 'node:path';

import type { ClientSession } from '../dtls/client.ts';
import { benchClient, type HandshakeKind } from './dtls-device.ts';

const HOST = '127.0.0.1';
/** The number of simultaneous devices, each on its own port. */
const DEVICES = 16;
const MESSAGE = Buffer.alloc(64, 'reading ');

export interface ServerUnderLoad {
  /** Runs `work`, which resolves with a count, and returns that count per second of the server's CPU time. */
  perCpuSecond(work: () => Promise<number>): Promise<number>;
  readonly port: number;
  stop(): void;
}

export async function startServer(kind: 'dtls' | 'udp'): Promise<ServerUnderLoad> {
  const script = join(import.meta.dirname, `dtls-server${extname(import.meta.filename)}`);
  const server = fork(script, [kind]);
  const [port] = (await once(server, 'message')) as [number];
  const cpuMicroseconds = async (): Promise<number> => {
    server.send('sample');
    const [sample] = (await once(server, 'message')) as [number];
    return sample;
  };
  return {
    port,
    async perCpuSecond(work) {
      const before = await cpuMicroseconds();
      const done = await work();
      return (done * 1_000_000) / ((await cpuMicroseconds()) - before);
    },
    stop: () => server.kill(),
  };
}

/** Makes that many handshakes, one after the other on each device. Resolves with their number. */
export async function handshakes(port: number, kind: HandshakeKind, count: number): Promise<number> {
  const each = Math.ceil(count / DEVICES);
  await onEachDevice(port, async (socket) => {
    let session: ClientSession | undefined;
    for (let done = 0; done < each; done++) {
      const client = benchClient(kind, (datagram) => socket.send(datagram), session);
      const receive = (datagram: Buffer): void => client.receive(datagram);
      socket.on('message', receive);
      client.start();
      while (client.state === 'shaking hands') await once(socket, 'message');
      socket.off('message', receive);
      client.stop();
      if (kind === 'resumption') session = client.session;
    }
  });
  return each * DEVICES;
}

/** Sends that many messages and waits for their echoes, two at a time on each device, in DTLS sessions or plain. */
export async function echoes(port: number, secured: boolean, count: number): Promise<number> {
  const each = Math.ceil(count / DEVICES);
  await onEachDevice(port, async (socket) => {
    const client = benchClient('PSK-CCM-8', (datagram) => socket.send(datagram));
    if (secured) {
      socket.on('message', (datagram) => client.receive(datagram));
      client.start();
      while (client.state === 'shaking hands') await once(socket, 'message');
    }
    const say = (): void => (secured ? client.send(MESSAGE) : socket.send(MESSAGE));
    say();
    say();
    for (let heard = 0; heard < each; heard++) {
      await once(socket, 'message');
      client.received.length = 0;
      say();
    }
    client.stop();
  });
  return each * DEVICES;
}

async function onEachDevice(port: number, work: (socket: Socket) => Promise<void>): Promise<void> {
  // The load never sleeps, as in coap-load.ts: the server's sends would pay for waking it.
  let busy = true;
  const spin = (): void => {
    if (busy) setImmediate(spin);
  };
  spin();
  await Promise.all(
    Array.from({ length: DEVICES }, async () => {
      const socket = createSocket('udp4');
      socket.connect(port, HOST);
      await once(socket, 'connect');
      await work(socket);
      socket.close();
    }),
  );
  busy = false;
}
