import { expect, it } from 'vitest';
import {
  ContentFormat,
  decode,
  encode,
  encodeComposite,
  encodeNewInstance,
  Path,
  registryModel,
} from '../../../src/lwm2m/index.ts';
import type { TypedValue } from '../../../src/lwm2m/index.ts';

const { senmlJson, senmlCbor } = ContentFormat;
const model = registryModel();
const string = (value: string): TypedValue => ({ type: 'String', value });
const integer = (value: number): TypedValue => ({ type: 'Integer', value });
const at = (values: Readonly<Record<string, TypedValue>>) =>
  Object.entries(values).map(([path, value]) => ({ path: Path.parsePrefixed(path), value }));

it.each<[string, string, Record<string, TypedValue>, string, string]>([
  [
    'a resource',
    '/3/0/14',
    { '/3/0/14': string('+02:00') },
    '[{"bn":"/3/0/14","vs":"+02:00"}]',
    '81a221672f332f302f313403662b30323a3030',
  ],
  [
    'an instance with one value',
    '/3/0',
    { '/3/0/14': string('+02:00') },
    '[{"bn":"/3/0/","n":"14","vs":"+02:00"}]',
    '81a321652f332f302f0062313403662b30323a3030',
  ],
  [
    'an instance',
    '/1/0',
    { '/1/0/1': integer(86_400), '/1/0/7': string('U') },
    '[{"bn":"/1/0/","n":"1","v":86400},{"n":"7","vs":"U"}]',
    '82a321652f312f302f006131021a00015180a2006137036155',
  ],
  [
    'a resource instance',
    '/16/0/0/1',
    { '/16/0/0/1': string('x') },
    '[{"bn":"/16/0/0/1","vs":"x"}]',
    '81a221692f31362f302f302f31036178',
  ],
  [
    'a multiple resource',
    '/16/0/0',
    { '/16/0/0/0': string('x'), '/16/0/0/1': string('y') },
    '[{"bn":"/16/0/0/","n":"0","vs":"x"},{"n":"1","vs":"y"}]',
    '82a321682f31362f302f302f006130036178a2006131036179',
  ],
  [
    'an instance of an end device',
    '/dev1/3/0',
    { '/dev1/3/0/14': string('U') },
    '[{"bn":"/dev1/3/0/","n":"14","vs":"U"}]',
    '81a3216a2f646576312f332f302f00623134036155',
  ],
])('SenML for %s has the request path as base name (Core 1.2 §7.4.4)', (_what, request, values, json, cbor) => {
  const path = Path.parsePrefixed(request);
  for (const [contentFormat, expected] of [
    [senmlJson, Buffer.from(json)],
    [senmlCbor, Buffer.from(cbor, 'hex')],
  ] as const) {
    const payload = encode({ contentFormat, path, values: at(values) });
    expect(Buffer.from(payload).toString('latin1')).toBe(expected.toString('latin1'));
    const { readings } = decode({ contentFormat, path, payload, model, now: 0 });
    expect(readings.map((reading) => reading.path.toString())).toEqual(Object.keys(values));
  }
});

it('SenML of one resource at several times gives its path once', () => {
  const path = Path.of(3303, 0, 5700);
  const values = [1_700_000_000, 1_700_000_001].map((time) => ({ path, value: integer(5), time }));
  expect(Buffer.from(encode({ contentFormat: senmlJson, path, values })).toString()).toBe(
    '[{"bn":"/3303/0/5700","v":5,"t":1700000000},{"v":5,"t":1700000001}]',
  );
});

it.each([
  [senmlJson, Buffer.from('[{"bn":"/16/","n":"3/0/0","vs":"id"}]')],
  [senmlCbor, Buffer.from('81a321642f31362f0065332f302f3003626964', 'hex')],
])('SenML of a Create has the object as base name: %i', (contentFormat, expected) => {
  const values = [{ resource: [0, 0], value: string('id') }];
  const payload = encodeNewInstance({ contentFormat, objectId: 16, instanceId: 3, values });
  expect(Buffer.from(payload).toString('latin1')).toBe(expected.toString('latin1'));
});

it('SenML of a Write-Composite and of a Send keeps full names', () => {
  const values = at({ '/1/0/1': integer(60), '/3/0/14': string('+01:00') });
  const text = '[{"n":"/1/0/1","v":60},{"n":"/3/0/14","vs":"+01:00"}]';
  expect(Buffer.from(encodeComposite(senmlJson, values)).toString()).toBe(text);
  expect(Buffer.from(encode({ contentFormat: senmlJson, path: Path.root, values })).toString()).toBe(text);
});
