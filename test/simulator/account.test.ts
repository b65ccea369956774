import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentFormat, parseLinks } from '../../src/lwm2m/index.ts';
import { accountAt, clock, device, log, measure, server, start } from './device-under-test.ts';
import { Lwm2mPeer } from './lwm2m-peer.ts';

const TEMPERATURE = '/3303/0/5700';
let second: Lwm2mPeer;

beforeEach(async () => {
  second = await Lwm2mPeer.start();
});

afterEach(() => second.stop());

/** Starts a device that registers with both servers. */
async function startWithTwo(): Promise<void> {
  const { server: address } = accountAt(second.port);
  await start({ accounts: [accountAt(server.port), { server: address, shortServerId: 124, lifetime: 60 }] });
}

async function read(from: Lwm2mPeer, path: string): Promise<string> {
  return (await from.ask({ path, accept: ContentFormat.text })).payload.toString();
}

async function attached(to: Lwm2mPeer): Promise<unknown> {
  const answer = await to.ask({ path: TEMPERATURE, accept: ContentFormat.linkFormat });
  return parseLinks(answer.payload.toString())[0]?.attributes;
}

describe('a device with two servers', () => {
  it('registers with each server, with the lifetime of its account', async () => {
    await startWithTwo();
    expect(server.received[0]?.url).toBe('/rd?ep=urn:imei:1&lt=300&lwm2m=1.1&b=U');
    expect(second.received[0]?.url).toBe('/rd?ep=urn:imei:1&lt=60&lwm2m=1.1&b=U');
    for (const each of [server, second]) {
      expect(each.received[0]?.payload).toContain('</1/0>,</1/1>');
      expect(await read(each, '/1/0/0')).toBe('123');
      expect(await read(each, '/1/1/0')).toBe('124');
    }
    await clock.advance(30_000);
    await second.requests(2);
    expect(server.received).toHaveLength(1);
  });

  it('sends an Update with a new lifetime only to the server of the account', async () => {
    await startWithTwo();
    await server.ask({ method: 'PUT', path: '/1/1/1', contentFormat: ContentFormat.text, payload: '90' });
    await clock.advance(0);
    await second.requests(2);
    expect(second.received[1]?.url).toBe('/rd/1?lt=90');
    expect(server.received).toHaveLength(1);
  });

  it('keeps the attributes and observations of the servers separate', async () => {
    await startWithTwo();
    await server.ask({ method: 'PUT', path: TEMPERATURE, query: 'pmin=10' });
    await second.ask({ method: 'PUT', path: TEMPERATURE, query: 'pmax=20' });
    expect(await attached(server)).toEqual({ pmin: '10' });
    expect(await attached(second)).toEqual({ pmax: '20' });
    const ask = { path: TEMPERATURE, accept: ContentFormat.text };
    const observations = [server.observe(ask), second.observe(ask)] as const;
    for (const observation of observations) await observation.next();
    measure(25);
    await clock.advance(0);
    expect((await observations[1].next()).payload.toString()).toBe('25');
    expect(log.filter((line) => line.includes('notify'))).toEqual([`[124] notify ${TEMPERATURE}`]);
    await observations[1].cancel();
    expect(device.observationCount).toBe(1);
    await clock.advance(10_000);
    expect((await observations[0].next()).payload.toString()).toBe('25');
  });

  it('uses the default periods of each account', async () => {
    await startWithTwo();
    await server.ask({ method: 'PUT', path: '/1/0/2', contentFormat: ContentFormat.text, payload: '10' });
    const ask = { path: TEMPERATURE, accept: ContentFormat.text };
    for (const each of [server, second]) await each.observe(ask).next();
    measure(25);
    await clock.advance(0);
    expect(log.filter((line) => line.includes('notify'))).toEqual([`[124] notify ${TEMPERATURE}`]);
  });

  it('is disabled only for the server that executes Disable', async () => {
    await startWithTwo();
    expect((await server.ask({ method: 'POST', path: '/1/0/4' })).code).toBe('2.04');
    await clock.advance(0);
    await server.requests(2);
    expect(server.received[1]).toMatchObject({ method: 'DELETE' });
    expect(second.received).toHaveLength(1);
  });

  it('sends an Update only to the server that executes the Registration Update Trigger', async () => {
    await startWithTwo();
    expect((await server.ask({ method: 'POST', path: '/1/1/8' })).code).toBe('2.04');
    await second.requests(2);
    expect(second.received[1]?.url).toBe('/rd/1');
    expect(server.received).toHaveLength(1);
  });

  it('removes the attributes of both servers at an instance that one deletes', async () => {
    await startWithTwo();
    const place = { path: '/3303/0', accept: ContentFormat.linkFormat };
    for (const each of [server, second]) await each.ask({ method: 'PUT', path: '/3303/0', query: 'pmin=10' });
    expect((await server.ask({ method: 'DELETE', path: '/3303/0' })).code).toBe('2.02');
    await server.ask({ method: 'POST', path: '/3303', contentFormat: ContentFormat.tlv });
    for (const each of [server, second]) {
      expect(parseLinks((await each.ask(place)).payload.toString())[0]?.attributes).toEqual({});
    }
  });

  it('sends measured values to both servers', async () => {
    const { server: address } = accountAt(second.port);
    const accounts = [accountAt(server.port), { server: address, shortServerId: 124, lifetime: 60 }];
    await start({ accounts, driftMs: 1_000, sendMs: 3_000 });
    await clock.advance(3_000);
    for (const each of [server, second]) {
      await each.requests(2);
      expect(each.received[1]?.url).toBe('/dp');
    }
  });

  it('de-registers from both servers when it is stopped', async () => {
    await startWithTwo();
    await device.stop();
    for (const each of [server, second]) expect(each.received.at(-1)).toMatchObject({ method: 'DELETE' });
  });
});
