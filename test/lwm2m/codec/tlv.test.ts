import { describe, expect, it } from 'vitest';
import { parseTypes } from '../../../src/cli/decode-spelling.ts';
import { decode, overlayModel, Path, registryModel } from '../../../src/lwm2m/index.ts';
import { vectors } from './vectors.ts';

const model = overlayModel(parseTypes(vectors.meta.exampleObjects).definitions(), registryModel());
const TLV = 11542;

function read(path: string, hex: string) {
  const payload = new Uint8Array(Buffer.from(hex, 'hex'));
  const decoded = decode({ contentFormat: TLV, path: Path.parsePrefixed(path), payload, model, now: 1_700_000_000 });
  return { payload, decoded };
}

describe('TLV (Core 1.2 §7.4.3)', () => {
  it.each([
    ['answers a path above an object', '/', '0000', 'INVALID_PAYLOAD'],
    ['has no entry for a resource', '/3/0/9', '', 'INVALID_PAYLOAD'],
    ['has no entry for a resource instance', '/3/0/6/0', '', 'INVALID_PAYLOAD'],
    ['has the reserved id 65535', '/9999/0', 'e1ffff05', 'INVALID_PAYLOAD'],
    ['ends in the header of an entry', '/9999/0', 'c801', 'INVALID_PAYLOAD'],
    ['has a signed integer of 3 bytes', '/9999/0', 'c301010203', 'INVALID_VALUE'],
    ['has an unsigned integer of 3 bytes', '/9999/0', 'c302010203', 'INVALID_VALUE'],
  ])('is refused when it %s', (_what, path, hex, code) => {
    expect(() => read(path, hex)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused with the offset of the reserved id', () => {
    expect(() => read('/9999/0', 'c10105e1ffff05')).toThrow(expect.objectContaining({ offset: 4 }));
  });

  it('may have nothing to say of an instance', () => {
    expect(read('/3/0', '').decoded.readings).toEqual([]);
  });

  it('gives opaque values memory of their own', () => {
    const { payload, decoded } = read('/9999/0', 'c30501020a');
    payload.fill(0);
    expect(decoded.readings).toMatchObject([{ type: 'Opaque', value: Uint8Array.of(1, 2, 10) }]);
  });
});
