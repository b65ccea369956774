import { describe, expect, it } from 'vitest';
import { formatAttributes, linkAttributes, Lwm2mError, parseAttributes, Path } from '../../src/lwm2m/index.ts';
import type { AttributeTarget, NotificationAttributes } from '../../src/lwm2m/index.ts';

const at = (path: string, more: Partial<AttributeTarget> = {}): AttributeTarget => ({
  paths: [Path.parse(path)],
  lwm2mVersion: '1.2',
  ...more,
});

describe('notification attributes', () => {
  it.each<[NotificationAttributes, string[]]>([
    [{ pmin: 10, pmax: 60 }, ['pmin=10', 'pmax=60']],
    [{ gt: 50, lt: 42.2 }, ['gt=50', 'lt=42.2']],
    [{ gt: -5.5, lt: -20 }, ['gt=-5.5', 'lt=-20']],
    [{ st: 1e-7 }, ['st=0.0000001']],
    [{ epmin: 1, epmax: 2, con: true, hqmax: 5 }, ['epmin=1', 'epmax=2', 'con=1', 'hqmax=5']],
    [{ pmin: null }, ['pmin']],
    [{ pmin: 60, pmax: 10 }, ['pmin=60', 'pmax=10']],
    [{}, []],
  ])('writes %o as the query %o', (attributes, query) => {
    expect(formatAttributes(attributes, at('/3303/0/5700', { type: 'Float' }))).toEqual(query);
    expect(parseAttributes(query)).toEqual(attributes);
  });

  it('allows edge only for Booleans', () => {
    expect(formatAttributes({ edge: false }, at('/3342/0/5500', { type: 'Boolean' }))).toEqual(['edge=0']);
    expect(() => formatAttributes({ edge: true }, at('/3303/0/5700', { type: 'Float' }))).toThrow(Lwm2mError);
  });

  it.each<[NotificationAttributes, AttributeTarget]>([
    [{ gt: 10, lt: 10 }, at('/3303/0/5700')],
    [{ gt: 10, lt: 5, st: 2.5 }, at('/3303/0/5700')],
    [{ epmin: 10, epmax: 10 }, at('/3303/0/5700')],
    [{ gt: 1 }, at('/3303/0')],
    [{ gt: 1 }, at('/3/0/0', { type: 'String' })],
    [{ gt: 1 }, at('/3/0/4', { type: null })],
    [{ epmin: 1 }, at('/3303/0/5700', { lwm2mVersion: '1.0' })],
    [{ con: true }, at('/3303/0/5700', { lwm2mVersion: '1.1' })],
    [{ pmin: -1 }, at('/3303')],
    [{ pmin: 1.5 }, at('/3303')],
    [{ pmax: 2 ** 31 }, at('/3303')],
    [{ st: -1 }, at('/3303/0/5700')],
    [{ st: 0 }, at('/3303/0/5700')],
    [{ gt: Number.NaN }, at('/3303/0/5700')],
    [{ hqmax: 1 }, { paths: [Path.parse('/3'), Path.parse('/4')], lwm2mVersion: '1.2' }],
  ])('refuses %o at the target %o', (attributes, target) => {
    expect(() => formatAttributes(attributes, target)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it.each([
    ['pmin=1', 'pmin=2'],
    ['pmin='],
    ['pmin=x'],
    ['foo=1'],
    ['edge=2'],
    ['lt=5', 'gt=5'],
    ['gt=1e3'],
    ['gt=.5'],
    ['st=0'],
    ['pmin=3000000000'],
  ])('refuses the query %s', (...query) => {
    expect(() => parseAttributes(query)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('are read from a Discover link, and invalid ones are ignored', () => {
    const attributes = { dim: '2', pmin: '10', gt: '50', lt: '42.2', con: '1', pmax: 'soon', ver: '1.1', hb: null };
    expect(linkAttributes({ uri: '/3/0/7', attributes })).toEqual({ pmin: 10, gt: 50, lt: 42.2, con: true });
  });
});
