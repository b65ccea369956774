import { describe, expect, it } from 'vitest';
import { writeProblem } from '../../../src/fleet/operations/write-rules.ts';
import { Path, type ObjectModel, type ResourceDefinition } from '../../../src/lwm2m/index.ts';

function problem(range: string, value: number): string | null {
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
  return writeProblem({ path: Path.parse('/9999/0/1'), value: { type: 'Float', value } }, { model, objects: [] });
}

describe('the range of a definition', () => {
  it.each([
    ['0..100', 101],
    ['0-100', -1],
    ['-10..10', -10.5],
    ['1 to 5', 6],
  ])('%s refuses %f', (range, value) => {
    expect(problem(range, value)).toContain(range);
  });

  it.each([
    ['0..100', 100],
    ['-10--5', -7],
    ['', 1e9],
    ['0..255 bytes', 1e9],
    ['see the table', 1e9],
  ])('%s does not refuse %f', (range, value) => {
    expect(problem(range, value)).toBeNull();
  });
});
