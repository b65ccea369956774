import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ContentFormat,
  decode,
  encode,
  encodeComposite,
  encodeNewInstance,
  encodePaths,
  parseLinks,
  Path,
  registryModel,
} from '../../src/lwm2m/index.ts';
import type { Lwm2mVersion, TypedValue } from '../../src/lwm2m/index.ts';
import { SimulatedDevice } from '../../src/simulator/index.ts';
import type { DeviceOptions } from '../../src/simulator/index.ts';
import { ManualClock } from '../manual-clock.ts';
import { Lwm2mPeer } from './lwm2m-peer.ts';
import type { Answer } from './lwm2m-peer.ts';

const TEMPERATURE = Path.parse('/3303/0/5700');
const APPLICATION = Path.parse('/3303/0/5750');
const text = (value: string): TypedValue => ({ type: 'String', value });
const float = (value: number): TypedValue => ({ type: 'Float', value });

let server: Lwm2mPeer;
let clock: ManualClock;
let device: SimulatedDevice;
let log: string[];

async function start(options: Partial<DeviceOptions> = {}): Promise<void> {
  device = new SimulatedDevice({
    endpoint: 'urn:imei:1',
    server: { host: '127.0.0.1', port: server.port },
    objects: [3303, 3304, 3323],
    clock,
    random: () => 0.5,
    driftMs: 0,
    log: (line) => log.push(line),
    ...options,
  });
  await device.start();
}

/** What an answer says, `path: value`. */
function said(answer: Answer, path: string): string[] {
  const { readings } = decode({
    contentFormat: answer.contentFormat ?? -1,
    payload: answer.payload,
    path: Path.parse(path),
    model: registryModel(),
    now: clock.now() / 1000,
  });
  return readings.map(({ path: place, value }) => `${place}: ${String(value)}`);
}

/** The paths that a Discover of the Device lists. */
async function discovered(query?: string): Promise<string[]> {
  const ask = { path: '/3', accept: ContentFormat.linkFormat, ...(query === undefined ? {} : { query }) };
  return parseLinks((await server.ask(ask)).payload.toString()).map(({ uri }) => uri);
}

function measure(value: number): void {
  device.tree.set(TEMPERATURE, float(value));
}

function noise(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 97 + length * 31) % 256);
}

beforeEach(async () => {
  server = await Lwm2mPeer.start();
  clock = new ManualClock();
  log = [];
});

afterEach(async () => {
  await device.vanish();
  await server.stop();
});

describe('registration', () => {
  it('tells its endpoint, lifetime, version, binding and objects', async () => {
    await start({ lifetime: 120 });
    const [register] = server.received;
    expect(register?.url).toBe('/rd?ep=urn:imei:1&lt=120&lwm2m=1.1&b=U');
    expect(parseLinks(register?.payload ?? '')).toEqual([
      { uri: '/', attributes: { rt: 'oma.lwm2m', ct: '60 110 112 11542' } },
      { uri: '/1/0', attributes: {} },
      { uri: '/3/0', attributes: {} },
      { uri: '/5/0', attributes: {} },
      { uri: '/3303', attributes: { ver: '1.1' } },
      { uri: '/3303/0', attributes: {} },
      { uri: '/3304', attributes: { ver: '1.1' } },
      { uri: '/3304/0', attributes: {} },
      { uri: '/3323', attributes: { ver: '1.1' } },
      { uri: '/3323/0', attributes: {} },
    ]);
    expect(device.location).toBe('/rd/1');
  });

  it.each<[Lwm2mVersion, string]>([
    ['1.0', '/rd?ep=urn:imei:1&lt=300&lwm2m=1.0&b=UQ'],
    ['1.1', '/rd?ep=urn:imei:1&lt=300&lwm2m=1.1&b=U&Q'],
    ['1.2', '/rd?ep=urn:imei:1&lt=300&lwm2m=1.2&b=U&Q'],
  ])('asks for queue mode as LwM2M %s does', async (lwm2m, url) => {
    await start({ lwm2m, queue: true });
    expect(server.received[0]?.url).toBe(url);
  });

  it('updates at half of its lifetime', async () => {
    await start({ lifetime: 60 });
    await clock.advance(29_999);
    expect(server.received).toHaveLength(1);
    await clock.advance(1);
    await server.requests(2);
    expect(server.received[1]).toEqual({ method: 'POST', url: '/rd/1', payload: '' });
  });

  it('registers anew when an Update is answered 4.04', async () => {
    await start({ lifetime: 60 });
    const accept = server.reply;
    server.reply = (request) => (request.url === '/rd/1' ? { code: '4.04' } : accept(request));
    await device.update();
    expect(server.received.map(({ url }) => url.split('?')[0])).toEqual(['/rd', '/rd/1', '/rd']);
  });

  it('tries again when it is refused, later each time', async () => {
    const accept = server.reply;
    server.reply = () => ({ code: '4.03' });
    await start();
    expect(device.location).toBeNull();
    await clock.advance(2_000);
    await server.requests(2);
    server.reply = accept;
    await clock.advance(4_000);
    await server.requests(3);
    await device.update();
    expect(device.location).toBe('/rd/1');
  });

  it('de-registers when it is stopped', async () => {
    await start();
    await device.stop();
    expect(server.received.at(-1)).toEqual({ method: 'DELETE', url: '/rd/1', payload: '' });
  });
});

describe('reading', () => {
  it.each([
    ['text', ContentFormat.text, '21.5'],
    ['CBOR', ContentFormat.cbor, ''],
    ['TLV', ContentFormat.tlv, ''],
    ['SenML JSON', ContentFormat.senmlJson, '[{"n":"/3303/0/5700","v":21.5}]'],
    ['SenML CBOR', ContentFormat.senmlCbor, ''],
  ])('gives one resource in %s', async (_name, accept, literal) => {
    await start();
    const answer = await server.ask({ path: '/3303/0/5700', accept });
    expect([answer.code, answer.contentFormat]).toEqual(['2.05', accept]);
    expect(said(answer, '/3303/0/5700')).toEqual(['/3303/0/5700: 21.5']);
    if (literal !== '') expect(answer.payload.toString()).toBe(literal);
  });

  it('gives a multiple resource, an instance and an object', async () => {
    await start();
    const voltages = await server.ask({ path: '/3/0/7', accept: ContentFormat.tlv });
    expect(said(voltages, '/3/0/7')).toEqual(['/3/0/7/0: 3800', '/3/0/7/1: 5000']);
    const one = await server.ask({ path: '/3/0/7/1', accept: ContentFormat.text });
    expect(one.payload.toString()).toBe('5000');
    const instance = await server.ask({ path: '/3303/0', accept: ContentFormat.senmlJson });
    expect(said(instance, '/3303/0')).toContain('/3303/0/5701: Cel');
    const object = await server.ask({ path: '/3303', accept: ContentFormat.tlv });
    expect(said(object, '/3303')).toEqual(said(instance, '/3303/0'));
  });

  it('chooses text for a resource and SenML CBOR above when nothing is asked for', async () => {
    await start();
    expect((await server.ask({ path: '/3303/0/5700' })).contentFormat).toBe(ContentFormat.text);
    expect((await server.ask({ path: '/3303/0' })).contentFormat).toBe(ContentFormat.senmlCbor);
  });

  it('sends what does not fit a datagram in blocks', async () => {
    await start({ objects: [3442] });
    device.tree.set(Path.parse('/3442/0/110'), text('x'.repeat(3000)));
    const answer = await server.ask({ path: '/3442/0/110', accept: ContentFormat.text });
    expect(answer.payload.toString()).toBe('x'.repeat(3000));
  });

  it.each([
    ['an object that it lacks', '/3305', ContentFormat.tlv, '4.04'],
    ['an instance that it lacks', '/3303/7', ContentFormat.tlv, '4.04'],
    ['a resource that it lacks', '/3303/0/5699', ContentFormat.text, '4.04'],
    ['an executable resource', '/3/0/4', ContentFormat.text, '4.05'],
    ['a resource that is only written', '/5/0/0', ContentFormat.opaque, '4.05'],
    ['Security', '/0/0', ContentFormat.tlv, '4.01'],
    ['a format that it does not speak', '/3/0/9', 9999, '4.06'],
    ['text for several values', '/3/0', ContentFormat.text, '4.06'],
    ['LwM2M CBOR before 1.2', '/3/0/9', ContentFormat.lwm2mCbor, '4.06'],
  ])('refuses %s', async (_what, path, accept, code) => {
    await start();
    expect((await server.ask({ path, accept })).code).toBe(code);
  });

  it('speaks LwM2M CBOR in 1.2, and LwM2M JSON only in 1.0', async () => {
    await start({ lwm2m: '1.2' });
    const answer = await server.ask({ path: '/3/0/9', accept: ContentFormat.lwm2mCbor });
    expect(said(answer, '/3/0/9')).toEqual(['/3/0/9: 90']);
    expect((await server.ask({ path: '/3/0/9', accept: ContentFormat.lwm2mJson })).code).toBe('4.06');
    await device.vanish();
    await start({ lwm2m: '1.0' });
    const json = await server.ask({ path: '/3/0/9', accept: ContentFormat.lwm2mJson });
    expect(said(json, '/3/0/9')).toEqual(['/3/0/9: 90']);
  });

  it('reads several places at once, and leaves out what is not there', async () => {
    await start();
    const paths = ['/3303/0/5700', '/3/0/9', '/3/0/4', '/9999'].map((path) => Path.parse(path));
    const payload = encodePaths(ContentFormat.senmlCbor, paths);
    const ask = { method: 'FETCH', contentFormat: ContentFormat.senmlCbor, payload } as const;
    const answer = await server.ask({ ...ask, accept: ContentFormat.senmlJson });
    expect(said(answer, '/')).toEqual(['/3303/0/5700: 21.5', '/3/0/9: 90']);
    expect((await server.ask({ ...ask, accept: ContentFormat.tlv })).code).toBe('4.06');
  });
});

describe('discovering', () => {
  it('lists an instance with its executable resources, sizes and attributes', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/3/0/9', query: 'pmin=10&gt=50' });
    const answer = await server.ask({ path: '/3/0', accept: ContentFormat.linkFormat });
    const links = parseLinks(answer.payload.toString());
    expect(answer.contentFormat).toBe(ContentFormat.linkFormat);
    expect(links[0]).toEqual({ uri: '/3/0', attributes: {} });
    expect(links).toContainEqual({ uri: '/3/0/4', attributes: {} });
    expect(links).toContainEqual({ uri: '/3/0/7', attributes: { dim: '2' } });
    expect(links).toContainEqual({ uri: '/3/0/9', attributes: { pmin: '10', gt: '50' } });
  });

  it('goes as deep as it is asked', async () => {
    await start({ lwm2m: '1.2' });
    expect(await discovered('depth=0')).toEqual(['/3']);
    expect(await discovered('depth=1')).toEqual(['/3', '/3/0']);
    expect(await discovered()).toContain('/3/0/7');
    expect(await discovered('depth=3')).toContain('/3/0/7/1');
  });
});

describe('writing', () => {
  it('takes a resource in text, TLV, CBOR and SenML', async () => {
    await start();
    const formats = [ContentFormat.text, ContentFormat.tlv, ContentFormat.cbor, ContentFormat.senmlJson];
    for (const contentFormat of formats) {
      const value = text(`by ${contentFormat}`);
      const payload = encode({ contentFormat, path: APPLICATION, values: [{ path: APPLICATION, value }] });
      const answer = await server.ask({ method: 'PUT', path: '/3303/0/5750', contentFormat, payload });
      expect(answer.code).toBe('2.04');
      expect(device.tree.value(APPLICATION)).toEqual(value);
    }
  });

  it('replaces an instance, or adds to it', async () => {
    await start({ objects: [3442] });
    const instance = Path.parse('/3442/0');
    const contentFormat = ContentFormat.tlv;
    const payload = (id: number): Uint8Array => {
      const values = [{ path: instance.child(id), value: text(`value of ${id}`) }];
      return encode({ contentFormat, path: instance, values });
    };
    await server.ask({ method: 'POST', path: '/3442/0', contentFormat, payload: payload(110) });
    expect(device.tree.has(instance.child(120))).toBe(true);
    await server.ask({ method: 'PUT', path: '/3442/0', contentFormat, payload: payload(110) });
    expect(device.tree.has(instance.child(120))).toBe(false);
    expect(device.tree.value(instance.child(110))).toEqual(text('value of 110'));
  });

  it('takes all of a Write or nothing', async () => {
    await start();
    const contentFormat = ContentFormat.senmlJson;
    const payload = encodeComposite(contentFormat, [
      { path: APPLICATION, value: text('cellar') },
      { path: TEMPERATURE, value: float(1) },
    ]);
    const composite = await server.ask({ method: 'iPATCH', contentFormat, payload });
    expect(composite.code).toBe('4.05');
    const instance = await server.ask({ method: 'POST', path: '/3303/0', contentFormat, payload });
    expect(instance.code).toBe('4.05');
    expect(device.tree.value(APPLICATION)).toEqual(text('room'));
  });

  it('writes several places at once, and deletes resource instances in 1.2', async () => {
    await start({ lwm2m: '1.2', objects: [3303, 3442] });
    const instance = Path.parse('/3442/0/1110/0');
    const contentFormat = ContentFormat.senmlEtchCbor;
    const payload = encodeComposite(contentFormat, [
      { path: APPLICATION, value: text('cellar') },
      { path: instance, value: null },
    ]);
    expect((await server.ask({ method: 'iPATCH', contentFormat, payload })).code).toBe('2.04');
    expect(device.tree.value(APPLICATION)).toEqual(text('cellar'));
    expect(device.tree.has(instance)).toBe(false);
  });

  it.each([
    ['a read-only resource', '/3303/0/5700', ContentFormat.text, '1', '4.05'],
    ['an unknown resource', '/3303/0/9999', ContentFormat.text, '1', '4.04'],
    ['a value of another type', '/3/0/13', ContentFormat.text, 'noon', '4.00'],
    ['a format that it does not speak', '/3/0/15', 9999, 'x', '4.15'],
    ['an executable resource', '/3/0/4', ContentFormat.text, '1', '4.05'],
    ['a broken payload', '/3/0', ContentFormat.tlv, 'garbage', '4.00'],
  ])('refuses %s', async (_what, path, contentFormat, payload, code) => {
    await start();
    expect((await server.ask({ method: 'PUT', path, contentFormat, payload })).code).toBe(code);
  });

  it('tells the server of a lifetime that was written', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/1/0/1', contentFormat: ContentFormat.text, payload: '40' });
    await clock.advance(0);
    await server.requests(2);
    expect(server.received[1]?.url).toBe('/rd/1?lt=40');
  });
});

describe('executing', () => {
  it('reboots: answers, goes away, and registers anew without observations', async () => {
    await start();
    const observation = server.observe({ path: '/3303/0/5700' });
    await observation.next();
    const answer = await server.ask({ method: 'POST', path: '/3/0/4' });
    expect(answer.code).toBe('2.04');
    expect(log.at(-1)).toBe('execute /3/0/4 → 2.04');
    await clock.advance(1_000);
    await server.requests(2);
    expect(server.received[1]?.url).toContain('/rd?ep=urn:imei:1');
    expect(device.observationCount).toBe(0);
  });

  it('takes back what was written in a factory reset', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/3/0/15', contentFormat: ContentFormat.text, payload: 'Asia/Tokyo' });
    await server.ask({ method: 'POST', path: '/3/0/5' });
    await clock.advance(1_000);
    await server.requests(2);
    expect((await server.ask({ path: '/3/0/15' })).payload.toString()).toBe('Etc/UTC');
  });

  it('forgets the least and the greatest that it measured', async () => {
    await start();
    device.tree.set(Path.parse('/3303/0/5601'), float(-10));
    expect((await server.ask({ method: 'POST', path: '/3303/0/5605' })).code).toBe('2.04');
    expect(device.tree.value(Path.parse('/3303/0/5601'))).toEqual(float(21.5));
  });

  it('sends an Update when that is triggered', async () => {
    await start();
    await server.ask({ method: 'POST', path: '/1/0/8', payload: "0='U'" });
    await server.requests(2);
    expect(server.received[1]).toEqual({ method: 'POST', url: '/rd/1', payload: '' });
  });

  it('is silent for the disable timeout when it is disabled', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/1/0/5', contentFormat: ContentFormat.text, payload: '30' });
    await server.ask({ method: 'POST', path: '/1/0/4' });
    await clock.advance(0);
    await server.requests(2);
    expect(server.received[1]?.method).toBe('DELETE');
    await clock.advance(30_000);
    await server.requests(3);
    expect(server.received[2]?.url).toContain('/rd?ep=');
  });

  it.each([
    ['arguments outside the grammar', '/3/0/4', 'now', '4.00'],
    ['an argument twice', '/3/0/4', '1,1', '4.00'],
    ['what can not be executed', '/3/0/9', '', '4.05'],
    ['what is not there', '/3/0/999', '', '4.04'],
  ])('refuses %s', async (_what, path, payload, code) => {
    await start();
    expect((await server.ask({ method: 'POST', path, payload })).code).toBe(code);
  });
});

describe('creating and deleting', () => {
  const contentFormat = ContentFormat.tlv;
  const values = [{ resource: [5750], value: text('attic') }];

  it('creates the instance that is named, and tells the server', async () => {
    await start();
    const payload = encodeNewInstance({ contentFormat, objectId: 3303, instanceId: 7, values });
    const answer = await server.ask({ method: 'POST', path: '/3303', contentFormat, payload });
    expect([answer.code, answer.location]).toEqual(['2.01', '3303/7']);
    expect(device.tree.value(Path.parse('/3303/7/5750'))).toEqual(text('attic'));
    await clock.advance(0);
    await server.requests(2);
    expect(server.received[1]?.payload).toContain('</3303/7>');
  });

  it('chooses the id itself when none is named', async () => {
    await start();
    const payload = encodeNewInstance({ contentFormat, objectId: 3303, instanceId: null, values });
    expect((await server.ask({ method: 'POST', path: '/3303', contentFormat, payload })).location).toBe('3303/1');
  });

  it('refuses an id that is taken', async () => {
    await start();
    const payload = encodeNewInstance({ contentFormat, objectId: 3303, instanceId: 0, values });
    expect((await server.ask({ method: 'POST', path: '/3303', contentFormat, payload })).code).toBe('4.00');
  });

  it('deletes an instance, but never the Device', async () => {
    await start();
    expect((await server.ask({ method: 'DELETE', path: '/3304/0' })).code).toBe('2.02');
    expect((await server.ask({ path: '/3304/0' })).code).toBe('4.04');
    expect((await server.ask({ path: '/3304', accept: contentFormat })).payload).toHaveLength(0);
    expect((await server.ask({ method: 'DELETE', path: '/3/0' })).code).toBe('4.05');
  });
});

describe('notifying', () => {
  it('tells every change, until the observation is cancelled', async () => {
    await start();
    const observation = server.observe({ path: '/3303/0/5700', accept: ContentFormat.text });
    expect((await observation.next()).payload.toString()).toBe('21.5');
    measure(22);
    await clock.advance(0);
    expect((await observation.next()).payload.toString()).toBe('22');
    expect((await observation.cancel()).code).toBe('2.05');
    expect(device.observationCount).toBe(0);
  });

  it('waits for pmin, and tells what is then', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/3303/0/5700', query: 'pmin=10' });
    const observation = server.observe({ path: '/3303/0/5700', accept: ContentFormat.text });
    await observation.next();
    measure(22);
    measure(23);
    await clock.advance(9_999);
    expect(log.filter((line) => line.startsWith('notify'))).toEqual([]);
    await clock.advance(1);
    expect((await observation.next()).payload.toString()).toBe('23');
  });

  it('tells at pmax what did not change', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/3303/0', query: 'pmax=60' });
    const observation = server.observe({ path: '/3303/0/5700', accept: ContentFormat.text });
    await observation.next();
    await clock.advance(60_000);
    expect((await observation.next()).payload.toString()).toBe('21.5');
  });

  it('tells when a threshold is crossed or a step is made, and not else', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/3303/0/5700', query: 'gt=30&lt=10&st=5' });
    const observation = server.observe({ path: '/3303/0/5700', accept: ContentFormat.text });
    await observation.next();
    measure(25);
    await clock.advance(0);
    measure(26.5);
    await clock.advance(0);
    expect((await observation.next()).payload.toString()).toBe('26.5');
    measure(30.5);
    await clock.advance(0);
    expect((await observation.next()).payload.toString()).toBe('30.5');
  });

  it('tells the changes of one moment in an instance once', async () => {
    await start();
    const observation = server.observe({ path: '/3303/0', accept: ContentFormat.senmlJson });
    await observation.next();
    measure(30);
    device.tree.set(Path.parse('/3303/0/5602'), float(30));
    await clock.advance(0);
    const notified = said(await observation.next(), '/3303/0');
    expect(notified).toEqual(expect.arrayContaining(['/3303/0/5700: 30', '/3303/0/5602: 30']));
    expect(log.filter((line) => line.startsWith('notify'))).toHaveLength(1);
  });

  it('observes several places as one', async () => {
    await start();
    const paths = ['/3303/0/5700', '/3/0/9'].map((path) => Path.parse(path));
    const observation = server.observe({
      method: 'FETCH',
      contentFormat: ContentFormat.senmlCbor,
      accept: ContentFormat.senmlCbor,
      payload: encodePaths(ContentFormat.senmlCbor, paths),
    });
    expect(said(await observation.next(), '/')).toEqual(['/3303/0/5700: 21.5', '/3/0/9: 90']);
    measure(19);
    await clock.advance(0);
    expect(said(await observation.next(), '/')).toEqual(['/3303/0/5700: 19', '/3/0/9: 90']);
  });

  it('ends an observation of what is deleted', async () => {
    await start();
    const observation = server.observe({ path: '/3303/0/5700', accept: ContentFormat.text });
    await observation.next();
    device.tree.remove(Path.parse('/3303/0'));
    await clock.advance(0);
    expect((await observation.next()).code).toBe('4.04');
    expect(device.observationCount).toBe(0);
  });

  it('takes attributes in an Observe of 1.2, and refuses them before', async () => {
    await start({ lwm2m: '1.2' });
    const observation = server.observe({ path: '/3303/0/5700', query: 'pmin=5', accept: ContentFormat.text });
    await observation.next();
    measure(25);
    await clock.advance(4_999);
    expect(log.filter((line) => line.startsWith('notify'))).toEqual([]);
    await clock.advance(1);
    expect((await observation.next()).payload.toString()).toBe('25');
    await device.vanish();
    await start({ lwm2m: '1.1' });
    const refused = server.observe({ path: '/3303/0/5700', query: 'pmin=5' });
    expect((await refused.next()).code).toBe('4.00');
  });

  it.each(['gt=1&lt=2', 'pmin=-1', 'epmin=9&epmax=3', 'colour=red', 'con=1'])(
    'refuses the attributes %s',
    async (query) => {
      await start();
      expect((await server.ask({ method: 'PUT', path: '/3303/0/5700', query })).code).toBe('4.00');
    },
  );
});

describe('living on its own', () => {
  it('measures something else from time to time', async () => {
    await start({ driftMs: 5_000, random: () => 0.75 });
    await clock.advance(5_000);
    expect(device.tree.value(TEMPERATURE)).toEqual(float(21.65));
  });

  it('sends what it measured with its time, unless it is muted', async () => {
    await start({ sendMs: 10_000 });
    await clock.advance(10_000);
    await server.requests(2);
    expect(server.received[1]?.url).toBe('/dp');
    await server.ask({ method: 'PUT', path: '/1/0/23', contentFormat: ContentFormat.text, payload: '1' });
    expect(await device.send([TEMPERATURE])).toBeNull();
  });

  it('sleeps in queue mode once nothing was said for a while, and wakes with an Update', async () => {
    await start({ queue: true, awakeMs: 30_000, lifetime: 200 });
    await clock.advance(30_001);
    expect(log.at(-1)).toBe('sleeps');
    const lost = server.ask({ path: '/3/0/9' });
    await clock.advance(70_000);
    await server.requests(2);
    expect(server.received[1]?.url).toBe('/rd/1');
    // node-coap repeats the lost request; the device hears it now.
    expect((await lost).payload.toString()).toBe('90');
  });
});

describe('bad datagrams', () => {
  it('survives them, and answers the next request', async () => {
    await start();
    for (let length = 0; length < 200; length += 1) await server.throwAt(server.devicePort, noise(length));
    // A token of 15 bytes in a long message: node-coap's own error path throws on it.
    await server.throwAt(server.devicePort, Buffer.concat([Buffer.of(0x4f, 0x01, 0, 1), Buffer.alloc(1500, 0xff)]));
    // Block1 number 2^20-1 of 1024 bytes: node-coap would allocate 1 GiB.
    await server.throwAt(
      server.devicePort,
      Buffer.of(0x41, 0x03, 0, 2, 0xaa, 0xd3, 0x0e, 0xff, 0xff, 0xf6, 0xff, 0x01),
    );
    expect((await server.ask({ path: '/3/0/9' })).payload.toString()).toBe('90');
  });

  it('does not hear those of others', async () => {
    await start();
    const other = await Lwm2mPeer.start();
    const before = log.length;
    await other.throwAt(server.devicePort, Buffer.of(0x40, 0x01, 0, 1, 0xb1, 0x33));
    expect((await server.ask({ path: '/3/0/9' })).code).toBe('2.05');
    await other.stop();
    expect(log.slice(before)).toEqual(['read /3/0/9 → 2.05 text/plain "90"']);
  });
});
