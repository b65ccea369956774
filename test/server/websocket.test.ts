import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { useBareServers, until, type BareServer } from './bare-server.ts';

const start = useBareServers();
const sockets: WebSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
});

interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

/** A client of graphql-transport-ws, message by message. */
async function open({ url }: BareServer, options: { autoPong?: boolean; query?: string } = {}) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${options.query ?? ''}`, 'graphql-transport-ws', {
    autoPong: options.autoPong ?? true,
  });
  sockets.push(socket);
  const received: Message[] = [];
  let pings = 0;
  let closed: { code: number; reason: string } | null = null;
  socket.on('message', (data) => received.push(JSON.parse(String(data))));
  socket.on('ping', () => pings++);
  socket.on('close', (code, reason) => (closed = { code, reason: String(reason) }));
  await once(socket, 'open');
  const send = (message: object): void => socket.send(JSON.stringify(message));
  return {
    socket,
    received,
    send,
    pings: () => pings,
    closed: () => closed,
    async connected(): Promise<void> {
      send({ type: 'connection_init', payload: { token: 'viewer' } });
      await until(() => received.some(({ type }) => type === 'connection_ack'));
    },
    /** Resolves when the server has taken everything that was sent before. */
    async taken(): Promise<void> {
      const before = received.length;
      send({ type: 'ping' });
      await until(() => received.slice(before).some(({ type }) => type === 'pong'));
    },
    async next(id: string): Promise<Message> {
      await until(() => received.some((message) => message.id === id));
      const message = received.find((one) => one.id === id);
      if (!message) throw new Error('it was received');
      return message;
    },
  };
}

describe('a WebSocket', () => {
  it('is pinged every 12 s, and stays open while it answers', async () => {
    const world = await start();
    const client = await open(world);
    await client.connected();
    for (const pings of [1, 2, 3]) {
      await world.clock.advance(11_999);
      await client.taken();
      expect(client.pings()).toBe(pings - 1);
      await world.clock.advance(1);
      await until(() => client.pings() === pings);
      await client.taken();
    }
    expect([client.closed(), world.server.snapshot()]).toEqual([null, { webSockets: 1, sessions: 1 }]);
  });

  it('that does not answer a ping for 12 s is cut', async () => {
    const world = await start();
    const client = await open(world, { autoPong: false });
    await client.connected();
    await world.clock.advance(12_000);
    await until(() => client.pings() === 1);
    await world.clock.advance(11_999);
    await client.taken();
    expect(client.closed()).toBeNull();
    await world.clock.advance(1);
    await until(() => client.closed() !== null);
    expect(client.closed()).toMatchObject({ code: 1006 });
    await until(() => world.server.snapshot().webSockets === 0);
    expect(world.server.snapshot().sessions).toBe(0);
  });

  it('that has closed is pinged no more', async () => {
    const world = await start();
    const client = await open(world);
    await client.connected();
    client.socket.close();
    await until(() => world.server.snapshot().webSockets === 0);
    await until(() => world.server.snapshot().sessions === 0);
    expect(world.clock.pendingCount).toBe(0);
  });

  it('runs the operation that is named, with its variables', async () => {
    const client = await open(await start(), { query: '?from=test' });
    await client.connected();
    const query = `
      query A($with: Boolean!) { viewer { role subject @include(if: $with) } }
      query B { viewer { subject } }`;
    client.send({ type: 'subscribe', id: '1', payload: { query, operationName: 'A', variables: { with: false } } });
    client.send({ type: 'subscribe', id: '2', payload: { query, operationName: 'B' } });
    expect(await client.next('1')).toMatchObject({ type: 'next', payload: { data: { viewer: { role: 'VIEWER' } } } });
    expect(await client.next('2')).toMatchObject({ type: 'next', payload: { data: { viewer: { subject: 'key:1' } } } });
  });

  it('gets the cost of an operation that costs too much', async () => {
    const client = await open(await start({ limits: { complexity: 1 } }));
    await client.connected();
    client.send({ type: 'subscribe', id: '1', payload: { query: '{ viewer { role } }' } });
    const code = 'COST_LIMIT_EXCEEDED';
    expect(await client.next('1')).toMatchObject({ payload: { errors: [{ extensions: { code } }] } });
  });

  it('may send a message of so many bytes, and no longer one, which is logged', async () => {
    const message = JSON.stringify({ type: 'connection_init', payload: { token: 'viewer' } });
    const world = await start({ limits: { messageBytes: message.length } });
    const client = await open(world);
    await client.connected();
    expect(world.logged).toEqual([]);
    client.socket.send(`${message} `);
    await until(() => client.closed() !== null);
    expect(client.closed()).toMatchObject({ code: 1009 });
    expect(world.logged).toMatchObject([{ level: 30 }]);
  });

  it('may run so many operations, and no more', async () => {
    const client = await open(await start({ limits: { operationsPerSocket: 1 } }));
    await client.connected();
    const query = 'subscription { deviceStatusChanged { endpoint } }';
    for (const id of ['1', '2']) client.send({ type: 'subscribe', id, payload: { query } });
    expect(await client.next('2')).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'TOO_MANY_OPERATIONS' } }],
    });
    expect(client.received.filter(({ id }) => id === '1')).toEqual([]);
    client.send({ type: 'complete', id: '1' });
    await client.taken();
    client.send({ type: 'subscribe', id: '3', payload: { query: '{ viewer { role } }' } });
    expect(await client.next('3')).toMatchObject({ type: 'next' });
  });

  it('is closed with 4500 and logs the error when the token can’t be looked up', async () => {
    const world = await start({ authenticate: () => Promise.reject(new Error('the database is away')) });
    const client = await open(world);
    client.send({ type: 'connection_init', payload: { token: 'viewer' } });
    await until(() => client.closed() !== null);
    expect(client.closed()).toMatchObject({ code: 4500, reason: expect.not.stringContaining('database') });
    expect(world.logged).toMatchObject([{ level: 40, err: { message: 'the database is away' } }]);
  });

  it('gets a whole sentence that says that it needs a token', async () => {
    const client = await open(await start());
    client.send({ type: 'connection_init' });
    await until(() => client.closed() !== null);
    expect(client.closed()).toEqual({
      code: 4401,
      reason: 'Unauthorized: A token is required: connectionParams {"token": "<token>"}.',
    });
  });

  it('gets a close reason that fits, whatever characters it has', async () => {
    const world = await start();
    const client = await open(world);
    await client.connected();
    const id = `x${'€'.repeat(60)}`;
    const query = 'subscription { deviceStatusChanged { endpoint } }';
    for (let times = 0; times < 2; times++) client.send({ type: 'subscribe', id, payload: { query } });
    await until(() => client.closed() !== null);
    expect(client.closed()).toMatchObject({ code: 4409, reason: expect.stringMatching(/^Subscriber for x€+$/) });
    expect(world.logged).toEqual([]);
  });

  it('gets nothing before it has said who it is', async () => {
    const client = await open(await start());
    client.send({ type: 'subscribe', id: '1', payload: { query: '{ viewer { role } }' } });
    await until(() => client.closed() !== null);
    expect(client.closed()).toMatchObject({ code: 4401 });
    expect(client.received).toEqual([]);
  });
});

describe('a server that closes', () => {
  it('cuts a WebSocket that does not answer, after its time', async () => {
    const world = await start({ limits: { drainMs: 500 } });
    const { hostname, port } = new URL(world.url);
    const socket = connect(Number(port), hostname);
    let ended = false;
    socket.on('data', () => {}).on('close', () => (ended = true));
    socket.write(
      `GET /graphql HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    await until(() => world.server.snapshot().webSockets === 1);
    const closed = world.server.close();
    await world.clock.advance(499);
    expect([ended, world.server.snapshot().webSockets]).toEqual([false, 1]);
    await world.clock.advance(1);
    await closed;
    await until(() => ended);
    expect(world.server.snapshot().webSockets).toBe(0);
  });

  it('cancels what it would cut when everything has ended before', async () => {
    const world = await start();
    const client = await open(world);
    await client.connected();
    await world.server.close();
    await until(() => client.closed() !== null);
    expect(client.closed()).toMatchObject({ code: 1001 });
    expect(world.clock.pendingCount).toBe(0);
  });
});
