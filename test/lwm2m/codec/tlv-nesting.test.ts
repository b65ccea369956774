import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTypes } from '../../../src/cli/decode-spelling.ts';
import { decode, Lwm2mError, overlayModel, Path, registryModel } from '../../../src/lwm2m/index.ts';
import { vectors } from './vectors.ts';

const model = overlayModel(parseTypes(vectors.meta.exampleObjects).definitions(), registryModel());
const TLV = 11542;
const INSTANCE = 0;
const RESOURCE_INSTANCE = 1;
const MULTIPLE = 2;
const RESOURCE = 3;

function read(path: string, payload: Uint8Array, keepOutside = false) {
  return decode({ contentFormat: TLV, path: Path.parse(path), payload, model, now: 1_700_000_000, keepOutside });
}

/** An entry with a 16-bit id and a length field of 24 bits; `lie` is added to its length. */
function entry(kind: number, id: number, value: Uint8Array, lie = 0): Buffer {
  const header = Buffer.alloc(6);
  header[0] = (kind << 6) | 0x20 | (3 << 3);
  header.writeUInt16BE(id, 1);
  header.writeUIntBE(Math.max(0, Math.min(value.length + lie, 0xff_ffff)), 3, 3);
  return Buffer.concat([header, value]);
}

/** `depth` entries of the kinds, one in the other, the first one outermost. */
function nested(depth: number, ...kinds: readonly number[]): Buffer {
  let bytes: Buffer = Buffer.of(1);
  for (let level = depth - 1; level >= 0; level--) bytes = entry(kinds[level % kinds.length] ?? 0, 0, bytes);
  return bytes;
}

const five = Buffer.of(5);
const inInstance = (value: Buffer) => entry(INSTANCE, 0, value);

describe('nested TLV', () => {
  it.each([
    ['an instance in an instance', '/9999', inInstance(inInstance(entry(RESOURCE, 1, five))), /object instance/],
    ['a resource in a resource', '/9999', inInstance(entry(MULTIPLE, 1, entry(RESOURCE, 1, five))), /found resource/],
    ['an instance in a multiple resource', '/9999', inInstance(entry(MULTIPLE, 1, inInstance(five))), /found object/],
    ['a multiple resource in another', '/9999', inInstance(nested(2, MULTIPLE)), /found multiple resource/],
    [
      'a resource instance without its resource',
      '/9999',
      inInstance(entry(RESOURCE_INSTANCE, 1, five)),
      /found resour/,
    ],
    ['a resource instance as an instance', '/9999', entry(RESOURCE_INSTANCE, 0, five), /expected an entry of type obj/],
    ['a resource as an instance', '/9999', entry(RESOURCE, 0, five), /expected an entry of type object instance/],
    ['a resource instance without its resource', '/9999/0', entry(RESOURCE_INSTANCE, 1, five), /resource instance/],
    ['an instance beside a resource', '/9999/0', Buffer.concat([entry(RESOURCE, 1, five), inInstance(five)]), /object/],
    ['a length of one byte too many', '/9999', inInstance(entry(RESOURCE, 1, five, 1)), /an entry needs 2 bytes/],
    ['a length of 16 MiB', '/9999', inInstance(entry(RESOURCE, 1, five, 0xff_ffff)), /needs 16777215 bytes/],
    ['a length that ends in the next entry', '/9999', inInstance(entry(RESOURCE, 1, five, -1)), /inside the header/],
    ['a child longer than its parent', '/9999', entry(INSTANCE, 0, entry(RESOURCE, 1, five), -1), /inside the header/],
    ['1,000 nested instances', '/9999', nested(1_000, INSTANCE), /found object instance/],
    ['1,000 nested multiple resources', '/9999/0/0', nested(1_000, MULTIPLE), /found multiple resource/],
    ['1,000 nested resource instances', '/9999/0', entry(MULTIPLE, 6, nested(1_000, RESOURCE_INSTANCE)), /bytes/],
  ])('with %s is refused, and the error says what is wrong', (_what, path, payload, message) => {
    for (const keepOutside of [false, true]) {
      expect(() => read(path, payload, keepOutside)).toThrow(message);
      expect(() => read(path, payload, keepOutside)).toThrow(Lwm2mError);
    }
  });

  it('takes linear time: 60,000 resources and 60,000 empty instances', () => {
    const ids = Array.from({ length: 60_000 }, (_, id) => id);
    const wide = Buffer.concat(ids.map((id) => entry(RESOURCE, id, five)));
    const started = performance.now();
    expect(read('/12345', inInstance(wide)).readings).toHaveLength(60_000);
    expect(read('/12345', Buffer.concat(ids.map((id) => entry(INSTANCE, id, Buffer.alloc(0))))).empty).toHaveLength(
      60_000,
    );
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('gives readings only at the level of resources, below the object of the path, or is refused', () => {
    const { tree } = fc.letrec<{ tree: Buffer; leaf: Buffer }>((tie) => ({
      leaf: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
      tree: fc.oneof(
        { maxDepth: 6 },
        tie('leaf'),
        fc
          .array(
            fc.tuple(
              fc.constantFrom(INSTANCE, RESOURCE_INSTANCE, MULTIPLE, RESOURCE),
              fc.constantFrom(0, 1, 2, 6, 65_534, 65_535),
              tie('tree'),
              fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: -3, max: 3 })),
            ),
            { maxLength: 4 },
          )
          .map((entries) => Buffer.concat(entries.map(([kind, id, value, lie]) => entry(kind, id, value, lie)))),
      ),
    }));
    const path = fc.constantFrom('/9999', '/9999/0', '/9999/0/6', '/9999/0/6/1', '/3', '/3/0', '/12345/7/8');
    fc.assert(
      fc.property(path, tree, fc.boolean(), (asked, payload, keepOutside) => {
        try {
          for (const { path: found } of read(asked, payload, keepOutside).readings) {
            expect(found.objectId).toBe(Path.parse(asked).objectId);
            expect(['resource', 'resource-instance']).toContain(found.level);
            if (!keepOutside) expect(Path.parse(asked).contains(found)).toBe(true);
          }
        } catch (error) {
          if (!(error instanceof Lwm2mError)) throw error;
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
