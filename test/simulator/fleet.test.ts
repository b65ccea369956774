import { expect, it } from 'vitest';
import { Fleet } from '../../src/simulator/index.ts';
import { ManualClock } from '../manual-clock.ts';
import { Lwm2mPeer } from './lwm2m-peer.ts';

it('registers and de-registers the given number of devices, each with its own name', async () => {
  const server = await Lwm2mPeer.start();
  const fleet = new Fleet({
    endpoint: 'urn:dev:ops:load',
    count: 120,
    accounts: [{ server: { host: '127.0.0.1', port: server.port }, shortServerId: 123, lifetime: 300 }],
    objects: [3303],
    clock: new ManualClock(),
  });
  await fleet.start();
  const names = server.received.map(({ url }) => /ep=([^&]*)/.exec(url)?.[1]);
  expect(new Set(names).size).toBe(120);
  expect(names).toContain('urn:dev:ops:load-120');
  await fleet.stop();
  expect(server.received.filter(({ method }) => method === 'DELETE')).toHaveLength(120);
  await server.stop();
});
