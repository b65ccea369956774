import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { MetricMapping } from '../../src/fleet/index.ts';
import { Path, type Reading, type TypedValue } from '../../src/lwm2m/index.ts';
import { measure } from '../../src/telemetry/mapping.ts';

const receivedAt = Date.UTC(2026, 4, 29, 14, 30);

const reading = (path: string, value: TypedValue, time: number | null = null): Reading => ({
  ...value,
  path: Path.parse(path),
  time,
});
const float = (value: number): TypedValue => ({ type: 'Float', value });
const text = (value: string): TypedValue => ({ type: 'String', value });

/** The only measurement of readings without times. */
function values(mappings: readonly MetricMapping[], ...readings: Reading[]): Record<string, number | string> {
  const { measurements, refused } = measure(mappings, readings, receivedAt);
  expect(refused).toEqual([]);
  expect(measurements.map(({ time }) => time)).toEqual([receivedAt]);
  return { ...measurements[0]?.numericValues, ...measurements[0]?.stringValues };
}

const temperature: MetricMapping = { path: '/3303/0/5700', metric: 'temperature' };

describe('a mapping', () => {
  it('applies only to its path', () => {
    const others = ['/3303/1/5700', '/3303/0/5701', '/3304/0/5700', '/33030/5700/0'];
    expect(
      values([temperature], reading('/3303/0/5700', float(22.5)), ...others.map((path) => reading(path, float(1)))),
    ).toEqual({ temperature: 22.5 });
  });

  it('with * matches every instance, each with its own metric', () => {
    const mapping = { path: '/3303/*/5700', metric: 'temperature_{instance}' };
    expect(values([mapping], reading('/3303/0/5700', float(20)), reading('/3303/17/5700', float(30)))).toEqual({
      temperature_0: 20,
      temperature_17: 30,
    });
  });

  it('of a multiple resource matches all its instances, of a resource instance only that one', () => {
    const readings = [0, 1].map((id) => reading(`/3/0/7/${id}`, { type: 'Integer', value: 3000 + id }));
    expect(values([{ path: '/3/0/7', metric: 'power' }], ...readings)).toEqual({ power_0: 3000, power_1: 3001 });
    expect(values([{ path: '/3/0/7/1', metric: 'backup' }], ...readings)).toEqual({ backup: 3001 });
  });

  it('scales first, then adds the offset', () => {
    const fahrenheit = { ...temperature, metric: 'fahrenheit', scale: 1.8, offset: 32 };
    expect(values([temperature, fahrenheit], reading('/3303/0/5700', float(20)))).toEqual({
      temperature: 20,
      fahrenheit: 68,
    });
  });

  it.each<[string, TypedValue, number | string]>([
    ['Integer', { type: 'Integer', value: -5 }, -5],
    ['Unsigned Integer', { type: 'Unsigned Integer', value: 2 ** 53 - 1 }, 2 ** 53 - 1],
    ['Float of 32 bits', float(Math.fround(230.1)), 230.1],
    ['Float of 64 bits', float(230.100006103515), 230.100006103515],
    ['the smallest Float of 32 bits', float(2 ** -149), 1e-45],
    ['Float', float(-0.125), -0.125],
    ['Time', { type: 'Time', value: 1_400_000_000 }, 1_400_000_000],
    ['Boolean true', { type: 'Boolean', value: true }, 1],
    ['Boolean false', { type: 'Boolean', value: false }, 0],
    ['String', text('Ω'), 'Ω'],
    ['Objlnk', { type: 'Objlnk', value: { objectId: 3, instanceId: 0 } }, '3:0'],
    ['Corelnk', { type: 'Corelnk', value: '</3/0>' }, '</3/0>'],
  ])('uses the kind of the resource type: %s', (_type, value, expected) => {
    expect(values([{ path: '/1/2/3', metric: 'm' }], reading('/1/2/3', value))).toEqual({ m: expected });
  });

  it.each<[string, TypedValue, string]>([
    ['Float', float(22.5), '22.5'],
    ['Integer', { type: 'Integer', value: 2n ** 63n - 1n }, '9223372036854775807'],
    ['Boolean', { type: 'Boolean', value: true }, 'true'],
    ['Time', { type: 'Time', value: 1_400_000_000 }, '2014-05-13T16:53:20Z'],
    ['Opaque', { type: 'Opaque', value: Uint8Array.of(0, 255) }, 'AP8='],
  ])('with kind string makes a string: %s', (_type, value, expected) => {
    expect(values([{ path: '/1/2/3', metric: 'm', kind: 'string' }], reading('/1/2/3', value))).toEqual({
      m: expected,
    });
  });

  it.each<[TypedValue, number, number]>([
    [{ type: 'Unsigned Integer', value: 2n ** 64n - 1n }, 1, 2 ** 64],
    [text('9007199254740993'), 1, 2 ** 53],
    [{ type: 'Integer', value: 2 ** 53 - 1 }, 8, 2 ** 56],
  ])(
    'keeps the nearest number of an integer beyond 2^53, and says that it is not exact: %o · %d',
    (value, scale, m) => {
      const large = reading('/1/2/3', value);
      expect(measure([{ path: '/1/2/3', metric: 'm', kind: 'numeric', scale }], [large], receivedAt)).toMatchObject({
        measurements: [{ numericValues: { m: expect.closeTo(m, -2) } }],
        refused: [{ reading: large, reason: 'inexact' }],
      });
    },
  );

  it.each<[TypedValue, number, number, number]>([
    [{ type: 'Integer', value: 1_234_567_890_123_456 }, 1, 1, 1_234_567_890_123_457],
    [{ type: 'Unsigned Integer', value: 1_234_567_890_123 }, 1000, 1, 1_234_567_890_123_001],
    [text('1234567890123456'), 1, 1, 1_234_567_890_123_457],
    [float(1e20), 1, 0, 1e20],
  ])('keeps each number up to 2^53 exact: %o · %d + %d', (value, scale, offset, m) => {
    const exact = reading('/1/2/3', value);
    const mapping: MetricMapping = { path: '/1/2/3', metric: 'm', kind: 'numeric', scale, offset };
    expect(measure([mapping], [exact], receivedAt)).toMatchObject({
      measurements: [{ numericValues: { m } }],
      refused: [],
    });
  });

  it.each([
    [38, 0.1, 0, 3.8],
    [3, 0.1, -0.3, 0],
    [1.1, 3, 0, 3.3],
    [-12345, 0.001, 100, 87.655],
  ])('scales as decimal numbers: %d · %d + %d', (value, scale, offset, metric) => {
    expect(values([{ ...temperature, scale, offset }], reading('/3303/0/5700', float(value)))).toEqual({
      temperature: metric,
    });
  });

  it('keeps the instances of a multiple resource apart from a metric with such a name', () => {
    const made = values(
      [
        { path: '/3/0/7', metric: 'mv' },
        { path: '/3303/0/5700', metric: 'mv_0' },
      ],
      reading('/3/0/7/0', { type: 'Integer', value: 1 }),
      reading('/3/0/7/1', { type: 'Integer', value: 2 }),
      reading('/3303/0/5700', float(3)),
    );
    expect(made).toEqual({ mv__0: 1, mv_1: 2, mv_0: 3 });
  });

  it('with kind numeric parses a decimal number from text', () => {
    const mapping: MetricMapping = { path: '/1/2/3', metric: 'm', kind: 'numeric', scale: 10 };
    for (const [spelt, value] of [
      ['22.5', 225],
      [' -1e3 ', -10_000],
      ['.5', 5],
    ] as const) {
      expect(values([mapping], reading('/1/2/3', text(spelt)))).toEqual({ m: value });
    }
  });

  it('accepts names of JavaScript’s object properties as metrics', () => {
    const made = values([{ ...temperature, metric: '__proto__' }], reading('/3303/0/5700', float(1)));
    expect(JSON.stringify(made)).toBe('{"__proto__":1}');
  });
});

describe('a mapped reading that can’t become a metric is refused with the reason', () => {
  const numeric: MetricMapping = { path: '/1/2/3', metric: 'm', kind: 'numeric' };
  const any: MetricMapping = { path: '/1/2/3', metric: 'm' };
  it.each<[string, MetricMapping, TypedValue, number | null, string]>([
    ['NaN', any, float(Number.NaN), null, 'not-finite'],
    ['an infinity', any, float(-Infinity), null, 'not-finite'],
    ['too large once scaled', { ...any, scale: 1e10 }, float(1e300), null, 'not-finite'],
    ['text where a number is mapped', numeric, text('warm'), null, 'not-a-number'],
    ['empty text where a number is mapped', numeric, text(''), null, 'not-a-number'],
    ['hexadecimal text where a number is mapped', numeric, text('0x10'), null, 'not-a-number'],
    [
      'a link where a number is mapped',
      numeric,
      { type: 'Objlnk', value: { objectId: 3, instanceId: 0 } },
      null,
      'not-a-number',
    ],
    ['bytes where a number is mapped', numeric, { type: 'Opaque', value: Uint8Array.of(1) }, null, 'not-a-number'],
    ['bytes', any, { type: 'Opaque', value: Uint8Array.of(1) }, null, 'opaque'],
    ['text with U+0000', any, text('a\0b'), null, 'not-text'],
    ['text with half a surrogate pair', any, text('\ud83d'), null, 'not-text'],
    ['a time before the year 1', any, float(1), -1e12, 'time-out-of-range'],
    ['a time after the year 9999', any, float(1), 1e12, 'time-out-of-range'],
    ['a time that is not a number', any, float(1), Number.NaN, 'time-out-of-range'],
    [
      'a Time as text after the year 9999',
      { ...any, kind: 'string' },
      { type: 'Time', value: 2n ** 62n },
      null,
      'time-out-of-range',
    ],
  ])('%s', (_case, mapping, value, time, reason) => {
    const bad = reading('/1/2/3', value, time);
    expect(measure([mapping], [bad], receivedAt)).toEqual({ measurements: [], refused: [{ reading: bad, reason }] });
  });

  it('and the other readings of the payload become metrics', () => {
    const { measurements, refused } = measure(
      [temperature, { path: '/3304/0/5700', metric: 'humidity' }],
      [reading('/3303/0/5700', float(Number.NaN)), reading('/3304/0/5700', float(40))],
      receivedAt,
    );
    expect(refused).toHaveLength(1);
    expect(measurements).toEqual([
      { time: receivedAt, supplied: false, numericValues: { humidity: 40 }, stringValues: {} },
    ]);
  });
});

describe('a number in text', () => {
  const numeric: MetricMapping = { path: '/1/2/3', metric: 'm', kind: 'numeric' };
  it.each([
    ['0', 0],
    ['+1', 1],
    ['-1.', -1],
    ['1.25', 1.25],
    ['-.5', -0.5],
    ['1e3', 1000],
    ['1E+3', 1000],
    ['25e-1', 2.5],
    ['\t7\n', 7],
  ])('may be %j', (spelt, value) => {
    expect(values([numeric], reading('/1/2/3', text(spelt)))).toEqual({ m: value });
  });

  it.each([
    '.',
    '+',
    '-',
    'e3',
    '1e',
    '1e+',
    '1.2.3',
    '1 2',
    '1,5',
    '--1',
    '1_000',
    'Infinity',
    'NaN',
    '0b1',
    '٣',
    'x1',
    '1x',
  ])('may not be %j', (spelt) => {
    const { refused } = measure([numeric], [reading('/1/2/3', text(spelt))], receivedAt);
    expect(refused.map(({ reason }) => reason)).toEqual(['not-a-number']);
  });
});

describe('the time of a reading', () => {
  const [year1, year9999] = [Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')];

  it.each([
    [year1, year1],
    [year1 - 1, null],
    [year9999, year9999],
    [year9999 + 1, null],
  ])('in milliseconds %d is %s', (ms, time) => {
    const { measurements } = measure([temperature], [reading('/3303/0/5700', float(1), ms / 1000)], receivedAt);
    expect(measurements.map((one) => one.time)).toEqual(time === null ? [] : [time]);
  });

  it('is rounded to milliseconds', () => {
    const readings = [1.0004, 1.0006].map((time) => reading('/3303/0/5700', float(1), time));
    expect(measure([temperature], readings, receivedAt).measurements.map(({ time }) => time)).toEqual([1_000, 1_001]);
  });

  it.each([
    [year1 / 1000, '0001-01-01T00:00:00Z'],
    [year1 / 1000 - 1, null],
    [Math.floor(year9999 / 1000), '9999-12-31T23:59:59Z'],
    [Math.floor(year9999 / 1000) + 1, null],
  ])('as a text: %d s is %s', (seconds, spelt) => {
    const mapping: MetricMapping = { path: '/1/2/3', metric: 'm', kind: 'string' };
    const { measurements } = measure([mapping], [reading('/1/2/3', { type: 'Time', value: seconds })], receivedAt);
    expect(measurements.map(({ stringValues }) => stringValues['m'])).toEqual(spelt === null ? [] : [spelt]);
  });
});

describe('readings of one payload', () => {
  it('of the same metric and time: the later one counts', () => {
    const both = [temperature, { path: '/3304/0/5700', metric: 'temperature' }];
    expect(values(both, reading('/3304/0/5700', float(1)), reading('/3303/0/5700', float(2)))).toEqual({
      temperature: 2,
    });
  });

  it('share one measurement per time', () => {
    const mappings = [temperature, { path: '/3304/0/5700', metric: 'humidity' }];
    const { measurements } = measure(
      mappings,
      [
        reading('/3303/0/5700', float(20), 1_700_000_000),
        reading('/3304/0/5700', float(40), 1_700_000_000),
        reading('/3303/0/5700', float(21), 1_700_000_000.25),
        reading('/3304/0/5700', float(41)),
      ],
      receivedAt,
    );
    expect(measurements).toEqual([
      { time: 1_700_000_000_000, supplied: true, numericValues: { temperature: 20, humidity: 40 }, stringValues: {} },
      { time: 1_700_000_000_250, supplied: true, numericValues: { temperature: 21 }, stringValues: {} },
      { time: receivedAt, supplied: false, numericValues: { humidity: 41 }, stringValues: {} },
    ]);
  });

  it('of any number and value are measured, refused or unmapped without an exception', () => {
    const value = fc.oneof(
      fc.double().map(float),
      fc.string({ unit: 'binary' }).map(text),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n): TypedValue => ({ type: 'Time', value: n })),
      fc.uint8Array().map((bytes): TypedValue => ({ type: 'Opaque', value: bytes })),
    );
    const mapping = fc.record({
      path: fc.constantFrom('/1/*/3', '/1/0/3', '/1/0/3/1'),
      metric: fc.constant('m_{instance}'),
      kind: fc.constantFrom('numeric' as const, 'string' as const),
      scale: fc.double({ noNaN: true, noDefaultInfinity: true }),
    });
    const readings = fc.array(
      fc
        .tuple(fc.constantFrom('/1/0/3', '/1/0/3/1', '/1/7/3', '/2/0/3'), value, fc.option(fc.double()))
        .map(([path, typed, time]) => reading(path, typed, time)),
    );
    fc.assert(
      fc.property(fc.array(mapping), readings, (mappings, list) => {
        const { measurements } = measure(mappings, list, receivedAt);
        for (const { time, numericValues } of measurements) {
          expect(new Date(time).toISOString()).toMatch(/^\d{4}-/);
          expect(Object.values(numericValues).every(Number.isFinite)).toBe(true);
        }
      }),
    );
  });
});
