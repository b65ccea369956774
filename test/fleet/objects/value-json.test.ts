import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valueFromJson, valueToJson } from '../../../src/fleet/objects/value-json.ts';
import type { ResourceType, TypedValue } from '../../../src/lwm2m/index.ts';

const place = { path: '/3/0/9', field: ['values', '0', 'value'] };

describe('a value as JSON', () => {
  it.each<[TypedValue, unknown]>([
    [{ type: 'String', value: 'Treeline' }, 'Treeline'],
    [{ type: 'Integer', value: -7 }, -7],
    [{ type: 'Integer', value: 2n ** 53n }, '9007199254740992'],
    [{ type: 'Unsigned Integer', value: 2n ** 64n - 1n }, '18446744073709551615'],
    [{ type: 'Float', value: 22.5 }, 22.5],
    [{ type: 'Float', value: Number.NaN }, 'NaN'],
    [{ type: 'Boolean', value: true }, true],
    [{ type: 'Opaque', value: Uint8Array.of(1, 2, 3, 4, 5) }, 'AQIDBAU='],
    [{ type: 'Time', value: 1_780_065_000 }, '2026-05-29T14:30:00Z'],
    [{ type: 'Time', value: 253_402_300_800 }, 253_402_300_800],
    [{ type: 'Objlnk', value: { objectId: 66, instanceId: 0 } }, '66:0'],
    [{ type: 'Corelnk', value: '</3/0>' }, '</3/0>'],
  ])('spells %o as %j and reads it back', (typed, json) => {
    expect(valueToJson(typed)).toEqual(json);
    expect(valueFromJson(json, typed.type, place)).toEqual(typed);
  });

  it('reads a time with an offset from UTC', () => {
    expect(valueFromJson('2026-05-29T16:30:00+02:00', 'Time', place)).toEqual({ type: 'Time', value: 1_780_065_000 });
  });

  it.each<[unknown, ResourceType, string]>([
    [5, 'String', 'must be a string (String)'],
    ['\ud800', 'String', 'is not well-formed Unicode'],
    [1.5, 'Integer', 'must be a whole number (Integer)'],
    ['0x10', 'Integer', 'must be a whole number (Integer)'],
    [2 ** 60, 'Integer', 'write it as a string'],
    ['9223372036854775808', 'Integer', 'does not fit Integer'],
    [-1, 'Unsigned Integer', 'does not fit Unsigned Integer'],
    ['22.5', 'Float', 'must be a number, "NaN"'],
    [1, 'Boolean', 'true or false'],
    ['AQID=', 'Opaque', 'is not base64'],
    ['-_8', 'Opaque', 'is not base64'],
    ['yesterday', 'Time', 'is not an RFC 3339 time'],
    ['2026-02-30T00:00:00Z', 'Time', 'is not an RFC 3339 time'],
    ['2026-05-29T14:30:00.5Z', 'Time', 'whole seconds'],
    ['66', 'Objlnk', 'is not an object link'],
    ['66:65536', 'Objlnk', 'is not an object link'],
  ])('refuses %j as %s', (json, type, why) => {
    expect(() => valueFromJson(json, type, place)).toThrow(
      expect.objectContaining({ code: 'VALIDATION', field: place.field, message: expect.stringContaining(why) }),
    );
  });

  it('comes back the same for every value', () => {
    const typed = fc.oneof(
      fc.record({ type: fc.constant('String' as const), value: fc.string({ unit: 'grapheme' }) }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value): TypedValue => ({
        type: 'Integer',
        value: Number.isSafeInteger(Number(value)) ? Number(value) : value,
      })),
      fc.record({ type: fc.constant('Float' as const), value: fc.double() }),
      fc.record({ type: fc.constant('Opaque' as const), value: fc.uint8Array({ maxLength: 64 }) }),
      fc.record({ type: fc.constant('Time' as const), value: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }) }),
    );
    fc.assert(
      fc.property(typed, (value) => {
        const back = valueFromJson(JSON.parse(JSON.stringify(valueToJson(value))), value.type, place);
        // JSON has no negative zero.
        expect(back.value === 0 ? 0 : back.value).toEqual(value.value === 0 ? 0 : value.value);
      }),
    );
  });
});
