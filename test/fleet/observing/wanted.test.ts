import { describe, expect, it } from 'vitest';
import { parseMappingPath } from '../../../src/fleet/profiles/mapping-path.ts';
import { MOST_OBSERVATIONS, wantedObservations, type Wishes } from '../../../src/fleet/observing/wanted.ts';
import { Path } from '../../../src/lwm2m/index.ts';

const none: Wishes = {
  mappings: [],
  requested: [],
  composite: true,
  watched: [],
  cancelled: new Set(),
  objects: [
    { objectId: 3, version: '1.1', instanceIds: [0] },
    { objectId: 3303, version: '1.0', instanceIds: [0, 1, 7] },
  ],
};

const of = (wishes: Partial<Wishes>) =>
  wantedObservations({ ...none, ...wishes }).map(({ key, reasons }) => [key, ...reasons]);
const paths = (...texts: string[]) => texts.map((text) => Path.parse(text));

describe('the observations wanted on a device', () => {
  it('are those of the profile’s mappings for the instances the device has', () => {
    const mappings = [
      { path: '/3303/*/5700', metric: 'temperature_{instance}' },
      { path: '/3304/0/5700', metric: 'humidity' },
      { path: '/3/0/9', metric: 'battery_level' },
      { path: '/3/1/9', metric: 'second_battery_level' },
    ];
    expect(of({ mappings })).toEqual([
      ['/3303/0/5700', 'PROFILE'],
      ['/3303/1/5700', 'PROFILE'],
      ['/3303/7/5700', 'PROFILE'],
      ['/3/0/9', 'PROFILE'],
    ]);
  });

  it('are shared by those who want the same paths', () => {
    expect(
      of({
        mappings: [{ path: '/3/0/9', metric: 'battery_level', attributes: { pmin: 5 } }],
        requested: [{ paths: paths('/3/0/9'), attributes: null, contentFormat: null }],
        watched: paths('/3/0/9'),
      }),
    ).toEqual([['/3/0/9', 'PROFILE', 'REQUESTED', 'WATCHED']]);
  });

  it('leave out a watched path that a wider one brings', () => {
    expect(of({ watched: paths('/3303/0/5700', '/3303/0', '/3303/1/5700') })).toEqual([
      ['/3303/0', 'WATCHED'],
      ['/3303/1/5700', 'WATCHED'],
    ]);
  });

  it('name a composite by its paths in any order', () => {
    const requested = [paths('/3/0/9', '/3303/0/5700'), paths('/3303/0/5700', '/3/0/9')].map((both) => ({
      paths: both,
      attributes: null,
      contentFormat: null,
    }));
    expect(of({ requested })).toEqual([['/3/0/9 /3303/0/5700', 'REQUESTED']]);
  });

  it('leave out what was cancelled by hand and what the device did not register', () => {
    expect(of({ watched: paths('/3/0/9', '/5/0/3', '/3303/2/5700'), cancelled: new Set(['/3/0/9']) })).toEqual([]);
  });

  it('have a bound, and the profile comes first', () => {
    const watched = Array.from({ length: 1000 }, (_, id) => Path.of(3, 0, id));
    const wanted = of({ mappings: [{ path: '/3303/0/5700', metric: 'temperature' }], watched });
    expect(wanted).toHaveLength(MOST_OBSERVATIONS);
    expect(wanted[0]).toEqual(['/3303/0/5700', 'PROFILE']);
  });
});

describe('the path of a mapping', () => {
  it.each(['', '3303/0/5700', '/3303', '/3303/0', '/*/0/5700', '/3303/0/*', '/3303/*', '/3303/0/65535', '/3/0/9/1/2'])(
    'is not %j',
    (text) => {
      expect(() => parseMappingPath(text, ['mappings', '0', 'path'])).toThrow(
        expect.objectContaining({ code: 'VALIDATION', field: ['mappings', '0', 'path'] }),
      );
    },
  );
});
