import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTypes } from '../../../src/cli/decode-spelling.ts';
import {
  ContentFormat,
  contentFormatName,
  decode,
  decodeComposite,
  decodeLinks,
  decodePaths,
  Lwm2mError,
  overlayModel,
  Path,
  registryModel,
} from '../../../src/lwm2m/index.ts';
import { payloadOf, vectors } from './vectors.ts';

const model = overlayModel(parseTypes(vectors.meta.exampleObjects).definitions(), registryModel());
const FORMATS = Object.values(ContentFormat);

/** Calls every decoder and checks that it throws only Lwm2mError with an offset in the payload. */
function tryAll(contentFormat: number, path: Path, payload: Uint8Array): void {
  const request = { contentFormat, path, payload, model, now: 1_700_000_000 };
  for (const attempt of [
    () => decode(request),
    () => decodeComposite(request),
    () => decodePaths(request),
    () => decodeLinks(payload),
  ]) {
    try {
      attempt();
    } catch (error) {
      if (!(error instanceof Lwm2mError)) throw error;
      expect(error.offset ?? 0).toBeGreaterThanOrEqual(0);
      expect(error.offset ?? 0).toBeLessThanOrEqual(payload.length);
      expect(error.message.length).toBeLessThan(300);
    }
  }
}

const path = fc.constantFrom('/', '/3', '/3/0', '/3/0/9', '/3/0/6/1', '/9999', '/9999/0', '/9999/0/5').map(Path.parse);

describe('a decoder throws nothing but Lwm2mError', () => {
  it.each(FORMATS.map((format) => [contentFormatName(format), format] as const))(
    'on any bytes as %s',
    (_name, format) => {
      fc.assert(
        fc.property(path, fc.uint8Array({ maxLength: 64 }), (asked, payload) => tryAll(format, asked, payload)),
        { numRuns: 2000 },
      );
    },
  );

  it('on any vector with changed, removed and added bytes', () => {
    const known = [...vectors.valid, ...vectors.invalid].filter(({ id }) => !id.includes('deep-nesting'));
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      remove: fc.nat(3),
      insert: fc.uint8Array({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.array(edit, { minLength: 1, maxLength: 4 }), (vector, edits) => {
        let bytes = Buffer.from(payloadOf(vector));
        for (const { at, remove, insert } of edits) {
          const start = Math.floor(at * bytes.length);
          bytes = Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
        }
        tryAll(vector.contentFormat, Path.parse(vector.path ?? '/'), new Uint8Array(bytes));
      }),
      { numRuns: 4000 },
    );
  });

  it('on any vector read as any other format', () => {
    for (const vector of [...vectors.valid, ...vectors.invalid]) {
      for (const format of FORMATS) tryAll(format, Path.parse(vector.path ?? '/'), payloadOf(vector));
    }
  });

  it.each([
    ['arrays', ContentFormat.senmlCbor, '81'],
    ['open arrays', ContentFormat.senmlCbor, '9f'],
    ['maps', ContentFormat.lwm2mCbor, 'a101'],
    ['tags', ContentFormat.cbor, 'c1'],
    ['brackets', ContentFormat.senmlJson, '5b'],
    ['objects', ContentFormat.senmlJson, '7b2261223a'],
    ['instances', ContentFormat.tlv, '0806'],
    ['quoted pairs', ContentFormat.linkFormat, '3c2f3e3b613d225c22'],
    ['targets', ContentFormat.linkFormat, '2f61'],
  ])('on a MiB of nested %s', (_name, format, hex) => {
    const payload = new Uint8Array(Buffer.alloc(1024 * 1024, hex, 'hex'));
    tryAll(format, Path.root, payload);
    tryAll(format, Path.of(9999), payload);
    tryAll(ContentFormat.linkFormat, Path.root, new Uint8Array(Buffer.concat([Buffer.from('<'), payload])));
  });

  it('refuses structured payloads above the limit, and accepts octets of any length', () => {
    const payload = new Uint8Array(8 * 1024 * 1024 + 1);
    const request = { path: Path.of(5, 0, 0), payload, model, now: 0 };
    expect(() => decode({ ...request, contentFormat: ContentFormat.tlv })).toThrow(
      expect.objectContaining({ code: 'LIMIT' }),
    );
    expect(decode({ ...request, contentFormat: ContentFormat.opaque }).readings).toHaveLength(1);
  });
});
