import { describe, expect, it } from 'vitest';
import { writeProblem } from '../../../src/fleet/operations/write-rules.ts';
import { lengthRange, numberRange } from '../../../src/fleet/operations/range.ts';
import {
  Path,
  registryModel,
  type ObjectModel,
  type ResourceDefinition,
  type TypedValue,
} from '../../../src/lwm2m/index.ts';

function typed(value: number | string | Uint8Array): TypedValue {
  if (typeof value === 'number') return { type: 'Float', value };
  return typeof value === 'string' ? { type: 'String', value } : { type: 'Opaque', value };
}

function problem(range: string, value: number | string | Uint8Array): string | null {
  const definition: ResourceDefinition = {
    id: 1,
    name: 'Level',
    operations: 'RW',
    multiple: false,
    mandatory: true,
    type: 'Float',
    range,
    units: '',
  };
  const model: ObjectModel = { object: () => undefined, definitions: () => [], resource: () => definition };
  return writeProblem({ path: Path.parse('/9999/0/1'), value: typed(value) }, { model, objects: [] });
}

describe('the range of a definition', () => {
  it.each([
    ['0..100', 101],
    ['0-100', -1],
    ['-10..10', -10.5],
    ['1 to 5', 6],
    ['0,1,2,3,255', 4],
    ['0; 3.8..20.5', 1],
    ['0..247,255', 250],
    ['-30..-120', -20],
    ['16 bits', 65_536],
    ['2 bytes', -40_000],
    ['10 or 26', 11],
    ['0: off, 1: on', 2],
    ['0 = off 1..9 = level', 10],
  ])('%s refuses %f', (range, value) => {
    expect(problem(range, value)).toContain(range);
  });

  it.each([
    ['0..100', 100],
    ['-10--5', -7],
    ['0,1,2,3,255', 255],
    ['0; 3.8..20.5', 0],
    ['-30..-120', -75],
    ['8 bits', 255],
    ['255', 5],
    ['2 Instances', 7],
    ['<7 to >12.5', 1e9],
    ['ON;OFF', 7],
    ['', 1e9],
    ['0..255 bytes', 1e9],
    ['see the table', 1e9],
    ['0: off, 1: on', 1],
    ['0 = off 1..9 = level', 5],
    ['0: off, 1: on, others: reserved', 7],
  ])('%s does not refuse %f', (range, value) => {
    expect(problem(range, value)).toBeNull();
  });
});

describe('the range of a text or of bytes', () => {
  it.each([
    ['0..3', 'four'],
    ['1..64 bytes', ''],
    ['10 or 26 bytes', 'x'.repeat(11)],
    ['3 bytes', 'äö'],
    ['8 bits', Uint8Array.of(1, 2)],
    ['16,32,48', new Uint8Array(17)],
  ])('%s refuses the length of %j', (range, value) => {
    expect(problem(range, value)).toContain(range);
  });

  it.each([
    ['0..4', '🔑🔑🔑🔑'],
    ['10 or 26 bytes', 'x'.repeat(26)],
    ['12', 'short'],
    ['8 bits', Uint8Array.of(255)],
    ['see the table', 'x'],
  ])('%s does not refuse the length of %j', (range, value) => {
    expect(problem(range, value)).toBeNull();
  });
});

describe('the ranges of the public registry', () => {
  it('can be read, apart from the listed ones', () => {
    const unread = new Set<string>();
    for (const { range, type } of [...registryModel().definitions()].flatMap(({ resources }) => resources)) {
      const read = type === 'String' || type === 'Opaque' ? lengthRange(range) : numberRange(range);
      if (range !== '' && type !== 'Boolean' && read === null) unread.add(range);
    }
    // A count, a maximum or a value; the number of instances; words.
    expect([...unread].toSorted()).toEqual([
      '2 Instances',
      '255',
      '<7 to >12.5',
      'ON;OFF',
      'original,repurposed,re-used,remanufactured,waste',
    ]);
  });
});
