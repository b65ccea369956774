import { expect, it } from 'vitest';
import { ContentFormat, decode, encode, Path, registryModel } from '../../../src/lwm2m/index.ts';

const contentFormat = ContentFormat.lwm2mJson;
const model = registryModel();
const float = (value: number) => ({ type: 'Float', value }) as const;

it.each([
  ['a resource', '/3303/0/5700', { '/3303/0/5700': 1 }, '{"bn":"/3303/0/5700","e":[{"n":"","v":1}]}'],
  ['an instance', '/3303/0', { '/3303/0/5700': 1 }, '{"bn":"/3303/0/","e":[{"n":"5700","v":1}]}'],
  ['an object', '/3303', { '/3303/0/5700': 1 }, '{"bn":"/3303/","e":[{"n":"0/5700","v":1}]}'],
  [
    'resource instances',
    '/3/0/7',
    { '/3/0/7/0': 1, '/3/0/7/1': 2 },
    '{"bn":"/3/0/7/","e":[{"n":"0","v":1},{"n":"1","v":2}]}',
  ],
])('LwM2M JSON for %s has the request path as base name (TS 1.0.2 §6.4.4)', (_what, request, values, text) => {
  const path = Path.parse(request);
  const timed = Object.entries(values).map(([at, value]) => ({ path: Path.parse(at), value: float(value) }));
  const payload = encode({ contentFormat, path, values: timed });
  expect(Buffer.from(payload).toString()).toBe(text);
  const decoded = decode({ contentFormat, path, payload, model, now: 0 });
  expect(decoded.readings.map(({ path: at }) => at.toString())).toEqual(Object.keys(values));
});

it.each([
  ['a base time is seconds since 1970, whatever its size', '"bt":86400,', '"t":5', 86_405],
  ['a large base time is seconds since 1970', '"bt":1600000000,', '"t":5', 1_600_000_005],
  ['a small time without a base time is relative to now', '', '"t":-5', 1_699_999_995],
  ['a small time with the base time 0 is relative to now', '"bt":0,', '"t":-5', 1_699_999_995],
])('LwM2M JSON: %s', (_what, base, time, expected) => {
  const payload = new TextEncoder().encode(`{"bn":"/3303/0/",${base}"e":[{"n":"5700","v":21,${time}}]}`);
  const path = Path.parse('/3303/0');
  const { readings } = decode({ contentFormat, path, payload, model, now: 1_700_000_000 });
  expect(readings).toMatchObject([{ time: expected }]);
});
