import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTypes } from '../../../src/cli/decode-spelling.ts';
import {
  ContentFormat,
  contentFormatName,
  decode,
  decodeComposite,
  decodePaths,
  encode,
  encodeComposite,
  encodeNewInstance,
  encodePaths,
  Path,
} from '../../../src/lwm2m/index.ts';
import type { DecodedPayload, TimedValue } from '../../../src/lwm2m/index.ts';
import { history, VALUE_OF, valueAtResource, valuesOfObject } from './arbitraries.ts';
import { vectors } from './vectors.ts';

const model = parseTypes(vectors.meta.exampleObjects);
const NOW = 1_700_000_000;

function decoded(contentFormat: number, path: Path, payload: Uint8Array): DecodedPayload {
  return decode({ contentFormat, path, payload, model, now: NOW });
}

/** The input of encode in the form of decode; sorted, because formats group by instance. */
function given(values: readonly TimedValue[]): unknown[] {
  return byPlace(values.map(({ path, value, time }) => ({ ...value, path, time: time ?? null })));
}

function byPlace<V extends { readonly path: Path; readonly time: number | null }>(readings: readonly V[]): unknown[] {
  return [...readings]
    .sort((left, right) => left.path.compare(right.path) || (left.time ?? 0) - (right.time ?? 0))
    .map((reading) => ({ ...reading, path: reading.path.toString() }));
}

const SINGLE = [ContentFormat.text, ContentFormat.cbor];
const MANY = [
  ContentFormat.tlv,
  ContentFormat.senmlJson,
  ContentFormat.senmlCbor,
  ContentFormat.senmlEtchJson,
  ContentFormat.senmlEtchCbor,
  ContentFormat.lwm2mJson,
  ContentFormat.lwm2mCbor,
];
const TIMED = [ContentFormat.senmlJson, ContentFormat.senmlCbor, ContentFormat.lwm2mJson];
const named = (formats: readonly number[]) => formats.map((format) => [contentFormatName(format), format] as const);

describe('decode(encode(x)) equals x', () => {
  it.each(named([...SINGLE, ...MANY]))('for one resource of any type in %s', (_name, contentFormat) => {
    fc.assert(
      fc.property(valueAtResource, (value) => {
        const payload = encode({ contentFormat, path: value.path, values: [value] });
        expect(byPlace(decoded(contentFormat, value.path, payload).readings)).toEqual(given([value]));
      }),
      { numRuns: 300 },
    );
  });

  it('for octets', () => {
    fc.assert(
      fc.property(VALUE_OF[5] ?? fc.constant({ type: 'Boolean', value: true } as const), (value) => {
        const path = Path.of(9999, 0, 5);
        const payload = encode({ contentFormat: ContentFormat.opaque, path, values: [{ path, value }] });
        expect(decoded(ContentFormat.opaque, path, payload).readings).toEqual([{ ...value, path, time: null }]);
      }),
    );
  });

  it.each(named(MANY))('for instances of an object in %s', (_name, contentFormat) => {
    const path = Path.of(9999);
    fc.assert(
      fc.property(valuesOfObject, (values) => {
        const payload = encode({ contentFormat, path, values });
        expect(byPlace(decoded(contentFormat, path, payload).readings)).toEqual(given(values));
      }),
      { numRuns: 200 },
    );
  });

  it.each(named(TIMED))('for a history in %s', (_name, contentFormat) => {
    fc.assert(
      fc.property(history, (values) => {
        const payload = encode({ contentFormat, path: Path.root, values });
        expect(byPlace(decoded(contentFormat, Path.root, payload).readings)).toEqual(given(values));
      }),
      { numRuns: 200 },
    );
  });

  it.each(named([ContentFormat.tlv, ContentFormat.lwm2mCbor]))(
    'for paths without a value in %s',
    (_name, contentFormat) => {
      const empty = [Path.of(9999, 5), Path.of(9999, 6, 9)];
      const values: TimedValue[] = [{ path: Path.of(9999, 6, 1), value: { type: 'Integer', value: 7 } }];
      const payload = encode({ contentFormat, path: Path.of(9999), values, empty });
      const found = decoded(contentFormat, Path.of(9999), payload);
      expect(byPlace(found.readings)).toEqual(given(values));
      expect(found.empty.map(String)).toEqual(['/9999/5', '/9999/6/9']);
    },
  );

  it.each(named([ContentFormat.senmlEtchJson, ContentFormat.senmlEtchCbor, ContentFormat.lwm2mCbor]))(
    'for a Write-Composite that deletes in %s',
    (_name, contentFormat) => {
      const payload = encodeComposite(contentFormat, [
        { path: Path.of(9999, 0, 1), value: { type: 'Integer', value: 1 } },
        { path: Path.of(9999, 0, 9, 3), value: null },
      ]);
      const found = decodeComposite({ contentFormat, path: Path.root, payload, model, now: NOW });
      expect(found.readings.map(({ path, value }) => [path.toString(), value])).toEqual([['/9999/0/1', 1]]);
      expect(found.deleted.map(String)).toEqual(['/9999/0/9/3']);
      expect(() => decoded(contentFormat, Path.root, payload)).toThrow(
        expect.objectContaining({ code: 'INVALID_VALUE' }),
      );
    },
  );

  it.each(
    named([ContentFormat.senmlJson, ContentFormat.senmlCbor, ContentFormat.senmlEtchJson, ContentFormat.senmlEtchCbor]),
  )('for a list of paths in %s', (_name, contentFormat) => {
    const path = fc.array(fc.nat(65534), { maxLength: 4 }).map((ids) => Path.of(...ids));
    fc.assert(
      fc.property(fc.array(path, { minLength: 1, maxLength: 10 }), (paths) => {
        const payload = encodePaths(contentFormat, paths);
        expect(decodePaths({ contentFormat, path: Path.root, payload, model, now: NOW })).toEqual(paths);
      }),
    );
  });

  it('for paths behind a gateway', () => {
    const values: TimedValue[] = [{ path: Path.of(9999, 0, 1).on('dev1'), value: { type: 'Integer', value: 1 } }];
    for (const contentFormat of [ContentFormat.senmlJson, ContentFormat.senmlCbor, ContentFormat.lwm2mCbor]) {
      const payload = encode({ contentFormat, path: Path.root, values });
      expect(byPlace(decoded(contentFormat, Path.root, payload).readings)).toEqual(given(values));
    }
  });
});

const hex = (payload: Uint8Array) => Buffer.from(payload).toString('hex');

describe('the payload of a Create', () => {
  const values = [{ resource: [1], value: { type: 'Integer', value: 1 } as const }];

  it.each(named([ContentFormat.tlv, ContentFormat.senmlJson, ContentFormat.senmlCbor, ContentFormat.lwm2mCbor]))(
    'contains the instance id in %s',
    (_name, contentFormat) => {
      const payload = encodeNewInstance({ contentFormat, objectId: 9999, instanceId: 4, values });
      const [reading] = decoded(contentFormat, Path.of(9999), payload).readings;
      expect(reading?.path.toString()).toBe('/9999/4/1');
    },
  );

  it('has no instance id when the device chooses it and the format allows that', () => {
    const anyInstance = { objectId: 9999, instanceId: null, values };
    expect(hex(encodeNewInstance({ ...anyInstance, contentFormat: ContentFormat.tlv }))).toBe('c10101');
    expect(hex(encodeNewInstance({ ...anyInstance, contentFormat: ContentFormat.lwm2mCbor }))).toBe('a10101');
    expect(() => encodeNewInstance({ ...anyInstance, contentFormat: ContentFormat.senmlCbor })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_FORMAT' }),
    );
  });
});
