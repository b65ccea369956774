import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DeviceProcess, runDevice } from './device-process.ts';
import { type ExampleProcess, runExample } from './example-process.ts';
import { ADMIN_TOKEN, runTreeline, type TreelineProcess, until } from './treeline-process.ts';

const ENDPOINT = 'urn:imei:490154203237518';
const STORED = /^stored \/3303\/0\/5700=-?\d+(\.\d+)?$/;
const NEW = /^new \/3303\/0\/5700=-?\d+(\.\d+)?$/;
const PATIENCE = { timeout: 40_000, interval: 50 };

const servers: Server[] = [];

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // of a server on TCP
}

/** A way to the server that can be cut. */
async function wireTo(target: string): Promise<{ readonly url: string; cut(): void }> {
  const sockets = new Set<Socket>();
  const port = await listening(
    createTcpServer((client) => {
      const upstream = connect(Number(new URL(target).port), '127.0.0.1');
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on('error', () => {}).on('close', () => (client.destroy(), upstream.destroy()));
      }
      client.pipe(upstream).pipe(client);
    }),
  );
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
      sockets.clear();
    },
  };
}

/** Answers the look-up of the device; what the subscriptions get is `subscribed`, one call each. */
async function scripted(subscribed: (response: ServerResponse, attempt: number) => void): Promise<string> {
  let attempts = 0;
  const server = createServer(({ headers }, response) => {
    if (headers.accept === 'text/event-stream') subscribed(response, ++attempts);
    else response.end('{"data":{"device":{"id":"1"}}}');
  });
  return `http://127.0.0.1:${await listening(server)}/graphql`;
}

const eventOf = (value: string): string =>
  JSON.stringify({ data: { resourceChanged: { initial: false, resources: [{ path: '/1/2/3', value }] } } });

const farewellOf = (code: string): string =>
  `event: next\ndata: ${JSON.stringify({ errors: [{ message: `Told ${code}.`, extensions: { code } }] })}\n\n`;

describe('the examples', () => {
  let treeline: TreelineProcess;
  let device: DeviceProcess;
  const examples: ExampleProcess[] = [];

  beforeAll(async () => {
    treeline = await runTreeline();
    const points = treeline.webSocket<{ telemetry: { numericValues: Record<string, number> } }>(
      'subscription { telemetry(metrics: ["temperature"]) { numericValues } }',
    );
    const measured = until(points, ({ telemetry }) => 'temperature' in telemetry.numericValues);
    device = runDevice(treeline.coap, ENDPOINT);
    await measured;
  });

  afterAll(async () => {
    await device.stop();
    await treeline.stop();
  });

  afterEach(async () => {
    for (const example of examples.splice(0)) await example.stop();
    for (const server of servers.splice(0)) server.close();
  });

  function run(file: string, options: readonly string[], environment: Record<string, string> = {}): ExampleProcess {
    const own = { TREELINE_URL: treeline.graphql, TREELINE_TOKEN: ADMIN_TOKEN, ...environment };
    const example = runExample(own, file, ...options);
    examples.push(example);
    return example;
  }

  describe.each(['graphql-ws.mjs', 'sse.mjs'])('%s', (file) => {
    it('prints the stored value, then each new one', async () => {
      const example = run(file, [ENDPOINT]);
      await expect.poll(() => example.lines().length, PATIENCE).toBeGreaterThan(1);
      const [first, ...others] = example.lines();
      expect(first).toMatch(STORED);
      for (const line of others) expect(line).toMatch(NEW);
      expect(example.errors()).toBe('');
    });

    it('watches the paths of the command line', async () => {
      const example = run(file, [ENDPOINT, '/3303/0/5700', '/3304/0/5700']);
      await expect.poll(() => example.lines()[0], PATIENCE).toMatch(/^stored \/3303\/0\/5700=\S+ \/3304\/0\/5700=\S+$/);
    });

    it('goes on after its connection was cut', async () => {
      const { url, cut } = await wireTo(treeline.graphql);
      const example = run(file, [ENDPOINT], { TREELINE_URL: url });
      const storedLines = (): number => example.lines().filter((line) => STORED.test(line)).length;
      await expect.poll(storedLines, PATIENCE).toBe(1);
      cut();
      await expect.poll(storedLines, PATIENCE).toBe(2);
      await expect.poll(() => example.lines().at(-1), PATIENCE).toMatch(NEW);
      expect(example.errors()).toMatch(/Connecting again/);
    });
  });

  describe.each(['graphql-ws.mjs', 'sse.mjs', 'write.mjs'])('%s', (file) => {
    it('ends with 1 and the reason when the token is wrong', async () => {
      const example = run(file, [ENDPOINT, '/3/0/15', 'Europe/Berlin'], { TREELINE_TOKEN: 'tl_wrong' });
      expect(await example.ended).toBe(1);
      expect(example.errors()).toContain('The token is unknown or was revoked.');
      expect(example.lines()).toEqual([]);
    });

    it('ends with 1 when there is no such device', async () => {
      const example = run(file, ['urn:imei:nowhere', '/3/0/15', '/3/0/15']);
      expect(await example.ended).toBe(1);
      expect(example.errors()).toBe('There is no device urn:imei:nowhere.\n');
    });
  });

  describe('sse.mjs, with a server that the test scripts', () => {
    it('reads CRLF, LF and CR, data of several lines, comments, and what a chunk cuts in two', async () => {
      let answered: (response: ServerResponse) => void;
      const answer = new Promise<ServerResponse>((resolve) => (answered = resolve));
      const url = await scripted((response) => answered(response));
      const example = run('sse.mjs', [ENDPOINT], { TREELINE_URL: url });
      const [head, tail] = eventOf('in two lines').split('"initial"');
      const [before, after] = eventOf('21 °C').split('°');
      const degree = Buffer.from('°');
      // Each chunk ends an event, whose line shows that the chunk was read before the next one leaves.
      const chunks = [
        `: a comment\r\n\r\nid: 7\r\nevent: next\r\ndata:${eventOf('by CRLF')}\r\n\r\nevent: next\r`,
        `\ndata: ${head}\r\ndata: "initial"${tail}\r\n\r\nevent: other\ndata: ${eventOf('of another type')}\n\n`,
        `event: next\rdata: ${eventOf('by CR')}\r\r`,
        Buffer.concat([
          Buffer.from(`event: next\ndata: ${eventOf('by LF')}\n\nevent: next\ndata: ${before}`),
          degree.subarray(0, 1),
        ]),
        Buffer.concat([
          degree.subarray(1),
          Buffer.from(`${after}\n\nevent: next\ndata: ${eventOf('without its end')}\n`),
        ]),
      ];
      const printed = ['by CRLF', 'in two lines', 'by CR', 'by LF', '21 °C'].map((value) => `new /1/2/3=${value}`);
      const response = await answer;
      for (const [index, chunk] of chunks.entries()) {
        response.write(chunk);
        await expect.poll(() => example.lines(), PATIENCE).toEqual(printed.slice(0, index + 1));
      }
      response.end();
      await expect.poll(() => example.errors(), PATIENCE).toContain('The connection ended.');
      expect(example.lines()).toEqual(printed);
    });

    it('waits up to twice as long after each failure, and starts anew after an event', async () => {
      const url = await scripted((response, attempt) => {
        if (attempt <= 3) response.writeHead(503).end('busy');
        else if (attempt === 4) response.end(`event: next\ndata: ${eventOf('up')}\n\n`);
      });
      const example = run('sse.mjs', [ENDPOINT], { TREELINE_URL: url });
      const waits = (): number[] => [...example.errors().matchAll(/again in (\d+) ms/g)].map(([, ms]) => Number(ms));
      await expect.poll(() => waits().length, PATIENCE).toBe(4);
      for (const [index, longest] of [500, 1_000, 2_000, 500].entries()) {
        expect(waits()[index]).toBeGreaterThanOrEqual(longest / 2);
        expect(waits()[index]).toBeLessThanOrEqual(longest);
      }
      expect(example.errors()).toContain('The connection failed: HTTP 503: busy');
      expect(example.lines()).toEqual(['new /1/2/3=up']);
    });

    it('connects again when the server cuts the stream, and ends when the key was revoked', async () => {
      const url = await scripted((response, attempt) => {
        if (attempt > 1) response.end(farewellOf('KEY_REVOKED'));
        else response.write(':\n\n', () => response.destroy());
      });
      const example = run('sse.mjs', [ENDPOINT], { TREELINE_URL: url });
      expect(await example.ended).toBe(1);
      expect(example.errors()).toMatch(
        /^The connection failed: .+\nConnecting again in \d+ ms\.\nTold KEY_REVOKED\.\n$/,
      );
    });
  });

  describe('write.mjs and expectPayload', () => {
    it('writes a value to the device', async () => {
      const example = run('write.mjs', [ENDPOINT, '/3/0/15', 'Europe/Berlin']);
      expect(await example.ended).toBe(0);
      expect(example.lines()).toEqual(['SUCCESSFUL /3/0/15=Europe/Berlin']);
      const { device: found } = await treeline.query<{ device: unknown }>(
        'query ($endpoint: String!) { device(endpoint: $endpoint) { resource(path: "/3/0/15") { value source } } }',
        { endpoint: ENDPOINT },
      );
      expect(found).toEqual({ resource: { value: 'Europe/Berlin', source: 'WRITE' } });
    });

    it('throws the field and the message of a ValidationError', async () => {
      const example = run('write.mjs', [ENDPOINT, '/3/0/13', 'noon']);
      expect(await example.ended).toBe(1);
      expect(example.errors()).toMatch(/^VALIDATION values\.0\.value: .*"noon"/);
    });

    it('throws the code of an error without a field', async () => {
      await treeline.query(
        'mutation { provisionDevice(input: { endpoint: "urn:imei:away" }) { ... on UserError { message } } }',
      );
      const example = run('write.mjs', ['urn:imei:away', '/3/0/15', 'Europe/Berlin']);
      expect(await example.ended).toBe(1);
      expect(example.errors()).toMatch(/^DEVICE_UNREACHABLE : \S/);
    });

    it('tells what the device refused', async () => {
      const example = run('write.mjs', [ENDPOINT, '/3303/9/5750', 'Somebody']);
      expect(await example.ended).toBe(1);
      expect(example.errors()).toMatch(/^FAILED DEVICE_ERROR: \S/);
      expect(example.lines()).toEqual([]);
    });
  });

  describe('curl.sh', () => {
    it('prints a query, a mutation and the events of a subscription', async () => {
      const example = run('curl.sh', [ENDPOINT]);
      const events = (): unknown[] =>
        example
          .lines()
          .filter((line) => line.startsWith('data: '))
          .map((line) => JSON.parse(line.slice('data: '.length)));
      await expect.poll(() => events().length, PATIENCE).toBeGreaterThan(1);
      const [, query = '', , mutation = ''] = example.lines();
      expect(JSON.parse(query)).toMatchObject({
        data: { device: { id: expect.any(String), status: 'ONLINE', resource: { value: expect.any(Number) } } },
      });
      expect(JSON.parse(mutation)).toMatchObject({
        data: { readResources: { __typename: 'ReadResourcesPayload', rpc: { status: 'SUCCESSFUL', error: null } } },
      });
      const resources = [{ path: '/3303/0/5700', value: expect.any(Number), timestamp: expect.any(String) }];
      expect(events().slice(0, 2)).toEqual([
        { data: { resourceChanged: { initial: true, resources } } },
        { data: { resourceChanged: { initial: false, resources } } },
      ]);
      expect(example.errors()).toBe('');
    });

    it.each([
      { problem: 'the token is absent', token: '', endpoint: ENDPOINT, code: 2, message: /^usage: / },
      {
        problem: 'the token is wrong',
        token: 'tl_wrong',
        endpoint: ENDPOINT,
        code: 1,
        message: /The token is unknown/,
      },
      {
        problem: 'there is no such device',
        token: ADMIN_TOKEN,
        endpoint: 'nowhere',
        code: 1,
        message: /no device nowhere/,
      },
      { problem: 'the endpoint has a quote', token: ADMIN_TOKEN, endpoint: 'a"b', code: 2, message: /no quotes/ },
    ])('ends with $code when $problem', async ({ token, endpoint, code, message }) => {
      const example = run('curl.sh', [endpoint], { TREELINE_TOKEN: token });
      expect(await example.ended).toBe(code);
      expect(example.errors()).toMatch(message);
    });
  });
});
