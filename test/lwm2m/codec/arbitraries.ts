import * as fc from 'fast-check';
import { Path } from '../../../src/lwm2m/index.ts';
import type { TimedValue, TypedValue } from '../../../src/lwm2m/index.ts';

/** Text without lone surrogates, which every format can carry. */
const text = fc.string({ unit: 'binary', maxLength: 40 });

const integer = (min: bigint, max: bigint): fc.Arbitrary<number | bigint> =>
  fc
    .oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max, 0n, 255n, 256n, 2n ** 31n, 2n ** 53n - 1n, 2n ** 53n))
    .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));

const SIGNED = integer(-(2n ** 63n), 2n ** 63n - 1n);

const float = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(0, -0, 0.1, 1e21, 1e-7, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53, 2 ** 63),
);

const links = fc
  .array(fc.tuple(fc.nat(65534), fc.nat(65534)), { maxLength: 3 })
  .map((pairs) => pairs.map(([object, instance]) => `</${object}/${instance}>;ver=1.1;x="a,b"`).join(','));

/** A value of each type, by resource id in the example object 9999 of the vectors. */
export const VALUE_OF: Readonly<Record<number, fc.Arbitrary<TypedValue>>> = {
  0: text.map((value) => ({ type: 'String', value })),
  1: SIGNED.map((value) => ({ type: 'Integer', value })),
  2: integer(0n, 2n ** 64n - 1n).map((value) => ({ type: 'Unsigned Integer', value })),
  3: float.map((value) => ({ type: 'Float', value })),
  4: fc.boolean().map((value) => ({ type: 'Boolean', value })),
  5: fc.uint8Array({ maxLength: 300 }).map((value) => ({ type: 'Opaque', value })),
  6: SIGNED.map((value) => ({ type: 'Time', value })),
  7: fc.record({ objectId: fc.nat(65535), instanceId: fc.nat(65535) }).map((value) => ({ type: 'Objlnk', value })),
  8: links.map((value) => ({ type: 'Corelnk', value })),
};

const id = fc.oneof(fc.nat(3), fc.nat(65534));

/** A value of a single resource, `/9999/i/r`. */
export const valueAtResource: fc.Arbitrary<TimedValue> = fc
  .tuple(id, fc.constantFrom(...Object.keys(VALUE_OF).map(Number)))
  .chain(([instance, resource]) =>
    (VALUE_OF[resource] ?? fc.constant<TypedValue>({ type: 'String', value: '' })).map((value) => ({
      path: Path.of(9999, instance, resource),
      value,
    })),
  );

/** An instance of the multiple resource `/9999/i/9/ri`. */
const valueAtResourceInstance: fc.Arbitrary<TimedValue> = fc
  .tuple(id, id, SIGNED)
  .map(([instance, resourceInstance, value]) => ({
    path: Path.of(9999, instance, 9, resourceInstance),
    value: { type: 'Integer', value },
  }));

/** Values at different paths below /9999. */
export const valuesOfObject: fc.Arbitrary<readonly TimedValue[]> = fc.uniqueArray(
  fc.oneof(valueAtResource, valueAtResourceInstance),
  { selector: ({ path }) => path.toString(), maxLength: 30 },
);

/** Values with times that SenML can carry, possibly several for one path. */
export const history: fc.Arbitrary<readonly TimedValue[]> = fc.uniqueArray(
  fc
    .tuple(
      valueAtResource,
      fc.option(fc.oneof(fc.integer({ min: 2 ** 28, max: 4e9 }), fc.double({ min: 2 ** 28, max: 4e9, noNaN: true }))),
    )
    .map(([value, time]) => ({ ...value, time })),
  { selector: ({ path, time }) => `${path}@${time}`, maxLength: 20 },
);
