import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Clock } from '../../src/clock.ts';
import { ContentFormat, Path } from '../../src/lwm2m/index.ts';
import { firmwarePackage, SimulatedDevice } from '../../src/simulator/index.ts';
import { ManualClock } from '../manual-clock.ts';
import { Lwm2mPeer } from './lwm2m-peer.ts';

const IDLE = 0;
const DOWNLOADED = 2;
const UPDATING = 3;
const image = Buffer.alloc(5_000, 'firmware');

let server: Lwm2mPeer;
let clock: ManualClock;
let device: SimulatedDevice;

async function start(time: Clock): Promise<void> {
  device = new SimulatedDevice({
    endpoint: 'urn:imei:1',
    accounts: [{ server: { host: '127.0.0.1', port: server.port }, shortServerId: 123, lifetime: 300 }],
    objects: [],
    lwm2m: '1.2',
    clock: time,
    driftMs: 0,
  });
  await device.start();
}

beforeEach(async () => {
  server = await Lwm2mPeer.start();
  clock = new ManualClock();
  await start(clock);
});

afterEach(async () => {
  await device.vanish();
  await server.stop();
});

function number(resourceId: number): number {
  return Number(device.tree.value(Path.of(5, 0, resourceId))?.value);
}

/** Reads State and Update Result. */
function machine(): [number, number] {
  return [number(3), number(5)];
}

async function push(payload: Uint8Array): Promise<string> {
  const contentFormat = ContentFormat.opaque;
  return (await server.ask({ method: 'PUT', path: '/5/0/0', contentFormat, payload, block1: true })).code;
}

describe('a pushed package', () => {
  it('is received in blocks, flashed, and active after the reboot', async () => {
    expect(await push(firmwarePackage('2.0.0', image))).toBe('2.04');
    expect(machine()).toEqual([DOWNLOADED, 0]);
    expect((await server.ask({ method: 'POST', path: '/5/0/2' })).code).toBe('2.04');
    expect(machine()).toEqual([UPDATING, 0]);
    await clock.advance(2_000);
    expect(machine()).toEqual([IDLE, 1]);
    await clock.advance(1_000);
    await server.requests(2);
    expect(server.received[1]?.url).toContain('/rd?ep=urn:imei:1');
    expect((await server.ask({ path: '/3/0/3' })).payload.toString()).toBe('2.0.0');
  });

  it.each([
    ['has another format', Buffer.from('something else'), 6],
    ['is damaged', Buffer.concat([firmwarePackage('2.0.0', image), Buffer.from('x')]), 5],
    ['is too large for the flash', firmwarePackage('2.0.0', Buffer.alloc(1024 * 1024)), 2],
    ['requires more than the free memory', firmwarePackage('2.0.0', image, { memory: 1e9 }), 3],
  ])('that %s leaves the state Idle with an Update Result', async (_what, payload, result) => {
    expect(await push(payload)).toBe('2.04');
    expect(machine()).toEqual([IDLE, result]);
  });

  it('stays downloaded when it requires other hardware', async () => {
    await push(firmwarePackage('2.0.0', image, { hardware: '9.9' }));
    await server.ask({ method: 'POST', path: '/5/0/2' });
    await clock.advance(2_000);
    expect(machine()).toEqual([DOWNLOADED, 8]);
  });

  it('can be cancelled before it is flashed', async () => {
    await push(firmwarePackage('2.0.0', image));
    expect((await server.ask({ method: 'POST', path: '/5/0/10' })).code).toBe('2.04');
    expect(machine()).toEqual([IDLE, 10]);
    expect((await server.ask({ method: 'POST', path: '/5/0/2' })).code).toBe('4.05');
    await push(firmwarePackage('2.0.0', image));
    await server.ask({ method: 'POST', path: '/5/0/2' });
    expect((await server.ask({ method: 'POST', path: '/5/0/10' })).code).toBe('4.05');
  });

  it('is removed by a Write of a single NUL byte to Package', async () => {
    await push(firmwarePackage('2.0.0', image));
    expect(await push(Buffer.of(0))).toBe('2.04');
    expect(machine()).toEqual([IDLE, 0]);
  });
});

describe('a pulled package', () => {
  it('is downloaded over HTTP', async () => {
    const web = createServer((_request, response) => response.end(firmwarePackage('3.0.0', image)));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    // A listening TCP server has an AddressInfo; null and string are for other servers.
    const { port } = web.address() as AddressInfo;
    await device.vanish();
    await start(systemClock);
    const observation = server.observe({ path: '/5/0/3', accept: ContentFormat.text });
    const payload = `http://127.0.0.1:${port}/package`;
    await server.ask({ method: 'PUT', path: '/5/0/1', contentFormat: ContentFormat.text, payload });
    while ((await observation.next()).payload.toString() !== String(DOWNLOADED));
    web.close();
    expect(machine()).toEqual([DOWNLOADED, 0]);
  });

  it.each([
    ['ftp://127.0.0.1/package', 9],
    ['no uri', 7],
  ])('from %s is refused with result %i', async (payload, result) => {
    await server.ask({ method: 'PUT', path: '/5/0/1', contentFormat: ContentFormat.text, payload });
    expect(machine()).toEqual([IDLE, result]);
  });
});
