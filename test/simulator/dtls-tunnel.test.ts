import { afterEach, beforeEach, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { SimulatedDevice } from '../../src/simulator/index.ts';
import { PSK, serveRegistrations, Serving } from '../dtls/serving.ts';

let serving: Serving;
let device: SimulatedDevice;
const said: string[] = [];

beforeEach(async () => {
  serving = await Serving.start();
});

afterEach(async () => {
  await device.stop();
  await serving.stop();
  said.length = 0;
});

function simulated(psk: { identity: string; key: Uint8Array }): SimulatedDevice {
  const server = { host: '127.0.0.1', port: serving.port, channel: { kind: 'dtls', psk } } as const;
  device = new SimulatedDevice({
    endpoint: 'device',
    accounts: [{ server, shortServerId: 123, lifetime: 300 }],
    objects: [3303],
    driftMs: 0,
    log: (line) => said.push(line),
  });
  return device;
}

it('registers over DTLS with a pre-shared key and answers a Read', async () => {
  const { endpoint, next } = serveRegistrations(serving.server);
  await simulated(PSK).start();
  const peer = await next();
  expect(device.location).toBe('/rd/1');
  expect(peer.security).toMatchObject({ kind: 'psk', name: PSK.identity });
  const { code } = await endpoint.request(peer, { method: 'GET', path: ['3', '0', '0'] });
  expect(code).toBe(codes.content);
});

it('opens another session after the server ended the first', async () => {
  const { next } = serveRegistrations(serving.server);
  await simulated(PSK).start();
  await next();
  serving.server.endSessions('psk');
  await expect.poll(() => said, { timeout: 10_000 }).toContainEqual(expect.stringMatching(/^DTLS session ended/));
  const updated = next();
  await device.update();
  expect((await updated).security).toMatchObject({ name: PSK.identity });
  expect(serving.reports.map(({ outcome }) => outcome.established)).toEqual([true, true]);
});
