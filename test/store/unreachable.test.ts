import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { openStore, type StoreError } from '../../src/store/index.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const step of undo.splice(0)) step();
});

/** The port of a server that does this with each connection. */
async function serverThat(serve: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port; // a TCP server that listens has such an address
}

/** Answers the start-up message with an error, as Postgres does (its manual, Message Formats, ErrorResponse). */
function refuse(socket: Socket): void {
  const fields = Buffer.from('SFATAL\0C28P01\0Mpassword authentication failed for user "ada"\0\0');
  const header = Buffer.alloc(5);
  header.write('E');
  header.writeUInt32BE(4 + fields.length, 1);
  socket.once('data', () => socket.end(Buffer.concat([header, fields])));
}

function start(port: number): Promise<StoreError> {
  const database = { kind: 'postgres', url: `postgres://ada:s3cret@127.0.0.1:${port}/treeline` } as const;
  return openStore({ database }).then(
    () => Promise.reject(new Error('it opened')),
    (error: StoreError) => error,
  );
}

describe('a Postgres that can’t be used', () => {
  it('because it refuses the user is UNREACHABLE, with its answer and its place, without the password', async () => {
    const port = await serverThat(refuse);
    const error = await start(port);
    expect(error).toMatchObject({ name: 'StoreError', code: 'UNREACHABLE' });
    expect(error.message).toContain('password authentication failed for user "ada"');
    expect(error.message).toContain(`127.0.0.1:${port}`);
    expect(error.message).toContain('treeline');
    expect(`${error.stack} ${String(error.cause)}`).not.toContain('s3cret');
  });

  it('because it ends the connection is UNREACHABLE', async () => {
    const error = await start(await serverThat((socket) => void socket.destroy()));
    expect(error).toMatchObject({ code: 'UNREACHABLE', message: expect.not.stringContaining('s3cret') });
  });

  it('because it does not answer is UNREACHABLE after 5 s', async () => {
    const connected: (() => void)[] = [];
    const asked = new Promise<void>((resolve) => connected.push(resolve));
    const port = await serverThat((socket) => socket.once('data', () => connected.forEach((resolve) => resolve())));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let failed = false;
    const starting = start(port).then((error) => {
      failed = true;
      return error;
    });
    await asked;
    await vi.advanceTimersByTimeAsync(4_999);
    expect(failed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await starting).toMatchObject({ code: 'UNREACHABLE' });
  });
});
