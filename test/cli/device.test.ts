import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createCoapEndpoint, UdpTransport } from '../../src/coap/index.ts';
import { createBootstrapServer, Path, type PathValue } from '../../src/lwm2m/index.ts';
import { Lwm2mPeer } from '../simulator/lwm2m-peer.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

let server: Lwm2mPeer | null = null;
const closing: (() => Promise<void>)[] = [];
let child: ChildProcessByStdio<null, Readable, Readable> | null = null;

afterEach(async () => {
  child?.kill('SIGKILL');
  await server?.stop();
  for (const close of closing.splice(0)) await close();
});

function run(...args: string[]): ChildProcessByStdio<null, Readable, Readable> {
  child = spawn(process.execPath, ['--import', 'tsx', CLI, 'device', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  return child;
}

it('de-registers and ends when the reader of its output closes it, as `| head -1` does', async () => {
  server = await Lwm2mPeer.start();
  const device = run('--server', `coap://127.0.0.1:${server.port}`, '--drift', '0');
  const errors = text(device.stderr);
  const ended = once(device, 'exit');
  await once(device.stdout, 'data');
  device.stdout.destroy();
  await once(device.stdout, 'close');
  // It prints a line for each request, until a line meets the closed pipe.
  void server.ask({ path: '/3/0/9' }).catch(() => {});
  expect(await ended).toEqual([0, null]);
  expect(await errors).toBe('');
  expect(server.received.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
});

it('bootstraps again after a Bootstrap-Request Trigger: answers it, de-registers, and registers anew', async () => {
  server = await Lwm2mPeer.start();
  const requests = await bootstrapServer(server.port);
  run('--bootstrap', `coap://127.0.0.1:${requests.port}`, '--drift', '0');
  await server.requests(1);
  expect(requests.count()).toBe(1);
  expect((await server.ask({ method: 'POST', path: '/1/0/9' })).code).toBe('2.04');
  await server.requests(3);
  expect(requests.count()).toBe(2);
  expect(server.received.map(({ method }) => method)).toEqual(['POST', 'DELETE', 'POST']);
});

/** A bootstrap server that provides the account of the server on this port; counts the Bootstrap-Requests. */
async function bootstrapServer(port: number): Promise<{ port: number; count: () => number }> {
  const transport = await UdpTransport.bind({ hosts: ['127.0.0.1'], port: 0 });
  const endpoint = createCoapEndpoint({ transport, clock: systemClock });
  closing.push(() => endpoint.close());
  const values: readonly PathValue[] = [
    { path: Path.of(0, 1, 0), value: { type: 'String', value: `coap://127.0.0.1:${port}` } },
    { path: Path.of(0, 1, 1), value: { type: 'Boolean', value: false } },
    { path: Path.of(0, 1, 2), value: { type: 'Integer', value: 3 } },
    { path: Path.of(0, 1, 10), value: { type: 'Integer', value: 7 } },
    { path: Path.of(1, 0, 0), value: { type: 'Integer', value: 7 } },
    { path: Path.of(1, 0, 1), value: { type: 'Integer', value: 120 } },
  ];
  const configuration = { deletes: [Path.of(0), Path.of(1)], values, reads: [] };
  let count = 0;
  createBootstrapServer({
    endpoints: [endpoint],
    clock: systemClock,
    onFault: () => {},
    handlers: {
      admit: async () => {
        count++;
        return { admitted: true, bootstrapId: `b${count}`, deviceKey: 'd', configuration };
      },
      stepped: async () => {},
      ended: async () => {},
    },
  });
  return { port: transport.addresses[0]?.port ?? 0, count: () => count };
}
