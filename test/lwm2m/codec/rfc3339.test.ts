import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rfc3339Seconds } from '../../../src/lwm2m/codec/rfc3339.ts';

describe('RFC 3339 date-times', () => {
  it('have the same seconds as Date', () => {
    const date = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, (given) => {
        expect(rfc3339Seconds(given.toISOString())).toBe(Math.floor(given.getTime() / 1000));
      }),
    );
  });

  it.each([
    ['2003-12-13T18:30:02Z', 1_071_340_202],
    ['2003-12-13t18:30:02.25z', 1_071_340_202],
    ['2003-12-13T18:30:02+01:00', 1_071_336_602],
    ['2003-12-13T18:30:02.25-01:30', 1_071_345_602],
    ['2016-12-31T23:59:60Z', 1_483_228_800],
    ['1969-12-31T23:59:59Z', -1],
    ['2000-02-29T00:00:00Z', 951_782_400],
  ])('%s is %d', (text, seconds) => {
    expect(rfc3339Seconds(text)).toBe(seconds);
  });

  it.each([
    '2013-02-30T00:00:00Z',
    '2013-13-01T00:00:00Z',
    '2013-01-00T00:00:00Z',
    '2013-01-01T24:00:00Z',
    '2013-01-01T00:60:00Z',
    '2013-01-01T00:00:61Z',
    '2013-01-01T00:00:00',
    '2013-01-01',
    '2013-01-01T00:00:00+24:00',
    '2013-01-01 00:00:00Z',
    '',
  ])('%s is not a date-time', (text) => {
    expect(rfc3339Seconds(text)).toBeUndefined();
  });
});
