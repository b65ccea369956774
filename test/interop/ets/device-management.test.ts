import { expect } from 'vitest';
import { requirePeer } from '../peers/index.ts';
import type { AskedDevice } from './asked-device.ts';
import {
  bindingOf,
  LESHAN_1_0,
  LESHAN_1_1,
  type Play,
  playAll,
  REGISTERED,
  SIMULATED_1_0,
  SIMULATED_1_1,
  SIMULATED_1_2,
  stage,
  UPDATED,
} from './stage.ts';

const TEXT = 0;
const CBOR = 60;
const SENML_JSON = 110;
const SENML_CBOR = 112;
const TLV = 11542;
const JSON_1_0 = 11543;

const LIFETIME = '/1/0/1';
const UTC_OFFSET = '/3/0/14';
const TIMEZONE = '/3/0/15';
const IDENTITY = '/16/0/0/0';
const BASIC = ['/3/0/0', '/3/0/1', '/3/0/2'];

/** Reads the basic information in one format: one resource at a time, and the whole instance where a format can. */
function queries(contentFormat: number, whole: boolean): Play['play'] {
  return async ({ device }) => {
    for (const path of BASIC) {
      const answer = await device.read([path], contentFormat);
      expect(answer).toMatchObject({ code: '2.05', contentFormat, values: { [path]: expect.stringMatching(/./) } });
    }
    if (!whole) return;
    const instance = await device.read(['/3/0'], contentFormat);
    expect(instance).toMatchObject({ code: '2.05', contentFormat });
    for (const path of BASIC) expect(instance.values).toHaveProperty([path], expect.stringMatching(/./));
    expect(instance.values).toHaveProperty(['/3/0/11/0'], 0);
  };
}

/** Writes settings of the server account in one format, and reads them back in the same. */
function settings(contentFormat: number, mode: 'REPLACE' | 'UPDATE'): Play['play'] {
  return async ({ device }) => {
    for (const values of [
      { [LIFETIME]: 600, '/1/0/2': 2, '/1/0/3': 120, '/1/0/6': true },
      { [LIFETIME]: 300, '/1/0/2': 0, '/1/0/3': 600, '/1/0/6': false },
    ]) {
      expect(await device.write(values, { contentFormat, mode })).toMatchObject({ status: 'SUCCESSFUL', code: '2.04' });
      await expectRead(device, values, contentFormat);
    }
  };
}

async function expectRead(device: AskedDevice, values: Record<string, unknown>, contentFormat?: number): Promise<void> {
  for (const [path, value] of Object.entries(values)) {
    const answer = await device.read([path], contentFormat);
    expect(answer).toMatchObject({ code: '2.05', values: { [path]: value } });
    if (contentFormat !== undefined) expect(answer.contentFormat).toBe(contentFormat);
  }
}

/** Writes the lifetime: the device tells it in an Update, and the registration lasts as long. */
function lifetimeWrite(options: Record<string, unknown>, seconds: number): Play['play'] {
  return async ({ device, peer }) => {
    const since = peer.mark();
    expect(await device.write({ [LIFETIME]: seconds }, options)).toMatchObject({ code: '2.04' });
    await peer.waitFor(UPDATED, { since });
    expect(await device.registration()).toMatchObject({ lifetime: seconds });
    await expectRead(device, { [LIFETIME]: seconds });
  };
}

function reads(path: string, holds: string, contentFormats: readonly number[]): Play['play'] {
  return async ({ device, role }) => {
    for (const contentFormat of role.lwm2m === '1.0' ? [TLV] : contentFormats) {
      const answer = await device.read([path], contentFormat);
      expect(answer).toMatchObject({ code: '2.05', contentFormat });
      expect(answer.values).toHaveProperty([holds], expect.anything());
    }
  };
}

/** Reads several places at once; what is not there is left out. */
function composite(paths: readonly string[], there: readonly string[]): Play['play'] {
  return async ({ device }) => {
    for (const contentFormat of [SENML_JSON, SENML_CBOR]) {
      const answer = await device.read(paths, contentFormat);
      expect(answer).toMatchObject({ code: '2.05', contentFormat });
      expect(Object.keys(answer.values).sort()).toEqual([...there].sort());
    }
  };
}

function compositeWrite(first: Record<string, unknown>, second: Record<string, unknown>): Play['play'] {
  return async ({ device }) => {
    for (const [values, contentFormat] of [
      [first, SENML_CBOR],
      [second, SENML_JSON],
    ] as const) {
      expect(await device.write(values, { mode: 'UPDATE', contentFormat })).toMatchObject({ code: '2.04' });
      const answer = await device.read(Object.keys(values), contentFormat);
      expect(answer).toMatchObject({ code: '2.05', values });
    }
  };
}

const FORMERLY: readonly Play[] = [
  { number: 204, by: [LESHAN_1_0, LESHAN_1_1, SIMULATED_1_0], play: queries(JSON_1_0, true) },
  { number: 220, by: [LESHAN_1_0, LESHAN_1_1, SIMULATED_1_0], play: settings(JSON_1_0, 'UPDATE') },
];

const LIST: readonly Play[] = [
  { number: 201, play: queries(TEXT, false) },
  { number: 203, play: queries(TLV, true) },
  ...FORMERLY,
  { number: 205, play: settings(TEXT, 'REPLACE') },
  { number: 211, play: queries(CBOR, false) },
  { number: 212, play: settings(CBOR, 'REPLACE') },
  {
    number: 215,
    async play(player) {
      const binding = bindingOf(player.role);
      await settings(TLV, 'UPDATE')(player);
      await settings(TLV, 'REPLACE')(player);
      const instance = { 1: 500, 2: 1, 3: 90, 6: true, 7: binding };
      const replaced = await player.device.write({ '/1/0': instance }, { contentFormat: TLV, mode: 'REPLACE' });
      expect(replaced).toMatchObject({ code: '2.04' });
      await expectRead(player.device, { [LIFETIME]: 500, '/1/0/3': 90, '/1/0/6': true }, TLV);
    },
  },
  {
    number: 221,
    // Leshan hides the object altogether: it answers 4.04.
    by: [SIMULATED_1_1, SIMULATED_1_2],
    async play({ device }) {
      const attempts = [
        device.read(['/0']),
        device.read(['/0/0']),
        device.read(['/0/0/0']),
        device.write({ '/0/0/0': 'coap://example.com' }, { force: true }),
        device.discover('/0'),
        device.writeAttributes('/0/0', { pmin: 10 }),
        device.observe(['/0/0/0']),
        device.create(0, 5, {}),
        device.delete('/0/0'),
      ];
      for (const attempt of attempts) expect(await attempt).toMatchObject({ status: 'FAILED', code: '4.01' });
    },
  },
  { number: 222, play: reads('/1', LIFETIME, [TLV, SENML_JSON, SENML_CBOR]) },
  { number: 223, play: reads('/1/0', LIFETIME, [TLV, SENML_JSON, SENML_CBOR]) },
  { number: 224, play: reads(LIFETIME, LIFETIME, [TEXT, CBOR, TLV, SENML_JSON, SENML_CBOR]) },
  { number: 225, play: reads('/3/0/11/0', '/3/0/11/0', [TEXT, CBOR, SENML_JSON, SENML_CBOR]) },
  { number: 226, play: lifetimeWrite({ mode: 'UPDATE' }, 610) },
  { number: 227, play: lifetimeWrite({ mode: 'REPLACE' }, 620) },
  {
    number: 228,
    async play({ device }) {
      for (const identity of ['Host Device ID #2', 'Host Device ID #3']) {
        expect(await device.write({ [IDENTITY]: identity })).toMatchObject({ code: '2.04' });
        await expectRead(device, { [IDENTITY]: identity });
      }
    },
  },
  { number: 229, play: composite(['/3/0/0', LIFETIME], ['/3/0/0', LIFETIME]) },
  {
    number: 230,
    play: compositeWrite({ [LIFETIME]: 630, [IDENTITY]: 'one' }, { [LIFETIME]: 640, [IDENTITY]: 'two' }),
  },
  { number: 231, play: queries(SENML_JSON, true) },
  { number: 232, play: queries(SENML_CBOR, true) },
  { number: 233, play: settings(SENML_CBOR, 'UPDATE') },
  { number: 234, play: settings(SENML_JSON, 'UPDATE') },
  {
    number: 235,
    async play({ device }) {
      const { code, message, values } = await device.read(['/'], SENML_CBOR);
      expect([code, message]).toEqual(['2.05', null]);
      const objects = new Set(Object.keys(values).map((path) => Number(path.split('/')[1])));
      expect([...objects]).toEqual(expect.arrayContaining([1, 3, 16, 3303]));
      for (const hidden of [0, 21, 23]) expect(objects).not.toContain(hidden);
    },
  },
  { number: 236, play: composite(['/3/0/0', '/3/0/99', '/1/7', LIFETIME], ['/3/0/0', LIFETIME]) },
  {
    number: 237,
    async play({ device }) {
      const answer = await device.readWithoutAccept('/3');
      expect(answer.code).toBe('2.05');
      expect([TLV, SENML_JSON, SENML_CBOR, 11544]).toContain(answer.contentFormat);
      for (const path of BASIC) expect(answer.values).toHaveProperty([path], expect.stringMatching(/./));
    },
  },
  {
    number: 241,
    async play({ device, peer }) {
      const before = await device.registration();
      const since = peer.mark();
      expect(await device.execute('/3/0/4')).toMatchObject({ code: '2.04' });
      await peer.waitFor(REGISTERED, { since });
      const after = await device.registration();
      expect(after).not.toBeNull();
      expect(after?.['location']).not.toBe(before?.['location']);
    },
  },
  {
    number: 256,
    async play({ device }) {
      const before = await device.read(['/1/0/0']);
      // Without `force`, the server itself refuses it, because the resource is read-only.
      const written = await device.write({ '/1/0/0': 7 }, { force: true });
      expect(written).toMatchObject({ status: 'FAILED', code: '4.05' });
      expect((await device.read(['/1/0/0'])).values).toEqual(before.values);
    },
  },
  {
    number: 257,
    play: compositeWrite({ [LIFETIME]: 650, [UTC_OFFSET]: '+02:00' }, { [LIFETIME]: 660, [TIMEZONE]: 'Asia/Tokyo' }),
  },
  {
    number: 260,
    // The client of Leshan 1 answers 5.00 to every Write-Attributes.
    by: [LESHAN_1_1, SIMULATED_1_0, SIMULATED_1_1, SIMULATED_1_2],
    async play({ device }) {
      const plain = await device.discover('/3');
      expect(plain).toMatchObject({ code: '2.05', contentFormat: 40 });
      expect(Object.keys(plain.links)).toEqual(expect.arrayContaining(['/3', '/3/0', '/3/0/0', '/3/0/9', '/3/0/4']));
      expect(await device.writeAttributes('/3/0', { pmin: 10, pmax: 60 })).toMatchObject({ code: '2.04' });
      expect(await device.writeAttributes('/3/0/10', { gt: 50, lt: 42 })).toMatchObject({ code: '2.04' });
      const { links } = await device.discover('/3/0');
      expect(links['/3/0']).toEqual({ pmin: '10', pmax: '60' });
      expect(Number(links['/3/0/10']?.['gt'])).toBe(50);
      expect(Number(links['/3/0/10']?.['lt'])).toBe(42);
      await device.writeAttributes('/3/0', { pmin: null, pmax: null });
      await device.writeAttributes('/3/0/10', { gt: null, lt: null });
      expect((await device.discover('/3/0')).links).toMatchObject({ '/3/0': {}, '/3/0/10': {} });
    },
  },
  {
    number: 261,
    async play({ device }) {
      expect(await device.writeAttributes('/3/0/11/0', { epmin: 5, epmax: 10 })).toMatchObject({ code: '2.04' });
      const { links } = await device.discover('/3/0/11');
      expect(links['/3/0/11']).toMatchObject({ dim: expect.any(String) });
      expect(links['/3/0/11/0']).toEqual({ epmin: '5', epmax: '10' });
    },
  },
  {
    number: 264,
    async play({ device }) {
      const { code, links } = await device.discover('/3', 1);
      expect(code).toBe('2.05');
      expect(Object.keys(links)).toEqual(['/3', '/3/0']);
    },
  },
  {
    number: 266,
    async play({ device }) {
      const { code, links } = await device.discover('/3', 3);
      expect(code).toBe('2.05');
      expect(Object.keys(links)).toEqual(expect.arrayContaining(['/3', '/3/0', '/3/0/9', '/3/0/11', '/3/0/11/0']));
    },
  },
  {
    number: 280,
    play: composite(['/3/0/0', '/3/0/1', '/3/0/11', LIFETIME], ['/3/0/0', '/3/0/1', '/3/0/11/0', LIFETIME]),
  },
  { number: 281, play: composite(['/3/0/0', '/3/0/99', '/99/0'], ['/3/0/0']) },
];

requirePeer('leshan')('the device management cases of the interoperability list', () => {
  playAll(stage(), LIST, { simulated: ['--object', '16', '3303'] });
});
