import { describe, expect, it } from 'vitest';
import type { OperationInput, WriteValue } from '../../../src/fleet/index.ts';
import { planOperation } from '../../../src/fleet/operations/plan.ts';
import {
  overlayModel,
  parseObjectXml,
  registryModel,
  type Lwm2mVersion,
  type Operation,
} from '../../../src/lwm2m/index.ts';
import { objectXml } from '../../lwm2m/object-xml.ts';

const plan = (input: OperationInput, lwm2mVersion: Lwm2mVersion = '1.1') => {
  const planned = planOperation(input, { model: registryModel(), objects: [], lwm2mVersion });
  return { together: planned.together && spelled(planned.together), singles: planned.singles.map(spelled) };
};

/** `kind /path /path`: what goes where, without the values. */
function spelled(operation: Operation): string {
  const mode = operation.kind === 'write' ? ` ${operation.mode}` : '';
  if (operation.kind === 'create') return `create /${operation.objectId}`;
  if ('path' in operation) return `${operation.kind}${mode} ${operation.path}`;
  const paths = 'paths' in operation ? operation.paths : operation.values.map(({ path }) => path);
  return `${operation.kind} ${paths.join(' ')}`;
}

const instance = (values: WriteValue[]): OperationInput => ({ kind: 'create', objectId: 1, values });
const replace = (...values: WriteValue[]): OperationInput => ({ kind: 'write', mode: 'REPLACE', values });
const composite = (...values: WriteValue[]): OperationInput => ({
  kind: 'write',
  mode: 'UPDATE',
  composite: 'ALWAYS',
  values,
});

const write = (mode: 'REPLACE' | 'UPDATE', ...paths: string[]): OperationInput => ({
  kind: 'write',
  mode,
  values: paths.map((path) => ({ path, value: 1 })),
});

describe('the plan of an operation', () => {
  it.each<[string, OperationInput, Lwm2mVersion, { together: string | null; singles: string[] }]>([
    ['one read', { kind: 'read', paths: ['/3'] }, '1.1', { together: 'read /3', singles: [] }],
    [
      'several reads, of 1.0',
      { kind: 'read', paths: ['/3', '/4'] },
      '1.0',
      { together: null, singles: ['read /3', 'read /4'] },
    ],
    [
      'several reads, of 1.1',
      { kind: 'read', paths: ['/3', '/4'] },
      '1.1',
      { together: 'read-composite /3 /4', singles: ['read /3', 'read /4'] },
    ],
    [
      'a read of the root, which only a composite is',
      { kind: 'read', paths: ['/'] },
      '1.1',
      { together: 'read-composite /', singles: [] },
    ],
    ['one replacement', write('REPLACE', '/1/0/1'), '1.1', { together: 'write replace /1/0/1', singles: [] }],
    [
      'several replacements, which a composite is not',
      write('REPLACE', '/1/0/1', '/1/0/2'),
      '1.2',
      { together: null, singles: ['write replace /1/0/1', 'write replace /1/0/2'] },
    ],
    [
      'updates of one instance',
      write('UPDATE', '/1/0/1', '/1/0/2'),
      '1.1',
      { together: 'write update /1/0', singles: [] },
    ],
    [
      'updates of several instances',
      write('UPDATE', '/1/0/1', '/1/1/1'),
      '1.1',
      { together: 'write-composite /1/0/1 /1/1/1', singles: ['write update /1/0', 'write update /1/1'] },
    ],
    [
      'an observation with attributes, before 1.2',
      { kind: 'observe', paths: ['/3/0/9'], attributes: { pmin: 1 } },
      '1.1',
      { together: null, singles: ['write-attributes /3/0/9', 'observe /3/0/9'] },
    ],
    [
      'an observation with attributes, from 1.2',
      { kind: 'observe', paths: ['/3/0/9'], attributes: { pmin: 1 } },
      '1.2',
      { together: 'observe /3/0/9', singles: [] },
    ],
  ])('for %s', (_, input, version, planned) => {
    expect(plan(input, version)).toEqual(planned);
  });

  it('types values by their definitions, at every level', () => {
    const values: WriteValue[] = [
      { path: '/1/0', value: { 1: 86_400, 7: 'U' } },
      { path: '/3/0/15', value: 'Europe/Berlin' },
      { path: '/2/0/2', value: { 0: 1, 101: 15 } },
      { path: '/3303/0/5750', value: 'roof' },
      { path: '/31000/0/1', value: 1.5 },
    ];
    const { singles } = planOperation(
      { kind: 'write', mode: 'REPLACE', values },
      { model: registryModel(), objects: [], lwm2mVersion: '1.1' },
    );
    const typed = singles.flatMap((single) => (single.kind === 'write' ? single.values : []));
    expect(typed.map(({ path, value }) => [String(path), value.type, value.value])).toEqual([
      ['/1/0/1', 'Integer', 86_400],
      ['/1/0/7', 'String', 'U'],
      ['/3/0/15', 'String', 'Europe/Berlin'],
      ['/2/0/2/0', 'Integer', 1],
      ['/2/0/2/101', 'Integer', 15],
      ['/3303/0/5750', 'String', 'roof'],
      ['/31000/0/1', 'Float', 1.5],
    ]);
  });

  it('makes the values of a new instance relative to it', () => {
    const { together } = planOperation(
      {
        kind: 'create',
        objectId: 2,
        instanceId: null,
        values: [
          { path: '0', value: 3 },
          { path: '2/101', value: 1 },
        ],
      },
      { model: registryModel(), objects: [], lwm2mVersion: '1.1' },
    );
    expect(together).toMatchObject({
      kind: 'create',
      instanceId: null,
      values: [{ resource: [0] }, { resource: [2, 101] }],
    });
  });

  describe('without force refuses a value outside of the range of', () => {
    const own = overlayModel(
      parseObjectXml(
        objectXml([26241]).replace('</Type>', '</Type><RangeEnumeration>0: off\n1: slow\n9: fast</RangeEnumeration>'),
      ),
      registryModel(),
    );
    it.each<[string, OperationInput, string, string[]]>([
      [
        'a resource',
        replace({ path: '/1/0/1', value: 60 }, { path: '/1/0/6', value: true }, { path: '/26241/0/0', value: 2 }),
        '2 is not in 0: off 1: slow 9: fast, the range of /26241/0/0 (Speed): change it, or set force',
        ['values', '2'],
      ],
      [
        'an instance',
        replace({ path: '/26241/0', value: { 0: 3 } }),
        '3 is not in 0: off 1: slow 9: fast, the range of /26241/0/0 (Speed): change it, or set force',
        ['values', '0'],
      ],
      [
        'a Write-Composite',
        composite({ path: '/1/0/1', value: 60 }, { path: '/26241/0/0', value: 2 }),
        '2 is not in 0: off 1: slow 9: fast, the range of /26241/0/0 (Speed): change it, or set force',
        ['values', '1'],
      ],
      [
        'a resource of a new instance',
        instance([
          { path: '1', value: 60 },
          { path: '0', value: 70_000 },
        ]),
        '70000 is not in 1..65534, the range of /1/0/0 (Short Server ID): change it, or set force',
        ['values', '1'],
      ],
    ])('%s', (_, input, message, field) => {
      const source = { model: own, objects: [], lwm2mVersion: '1.1' } as const;
      expect(() => planOperation(input, source)).toThrow(
        expect.objectContaining({ code: 'VALIDATION', message, field }),
      );
      expect(() => planOperation({ ...input, force: true } as OperationInput, source)).not.toThrow();
    });
  });

  it('leaves the format of one Read to the device', () => {
    expect(
      planOperation(
        { kind: 'read', paths: ['/3'], withoutAccept: true },
        { model: registryModel(), objects: [], lwm2mVersion: '1.0' },
      ).together,
    ).toMatchObject({ kind: 'read', contentFormat: null });
  });

  it.each<[OperationInput, string[]]>([
    [write('REPLACE', '/3/0/4'), ['values', '0', 'value']],
    [write('REPLACE', '/2/0/2'), ['values', '0', 'value']],
    [{ kind: 'write', mode: 'REPLACE', values: [{ path: '/1/0/1', value: { 0: 1 } }] }, ['values', '0', 'value']],
    [{ kind: 'write', mode: 'REPLACE', values: [{ path: '/1/0', value: { x: 1 } }] }, ['values', '0', 'value', 'x']],
    [{ kind: 'write', mode: 'REPLACE', values: [] }, ['values']],
    [{ kind: 'read', paths: ['/3', '/3'] }, ['paths', '1']],
    [{ kind: 'observe', paths: ['/'] }, ['paths', '0']],
    [{ kind: 'read', paths: ['/3'], contentFormat: 65_536 }, ['contentFormat']],
    [{ kind: 'read', paths: ['/3'], contentFormat: 60, withoutAccept: true }, ['withoutAccept']],
    [{ kind: 'read', paths: ['/3', '/4'], withoutAccept: true }, ['withoutAccept']],
    [{ kind: 'read', paths: ['/'], withoutAccept: true }, ['withoutAccept']],
    [{ kind: 'create', objectId: 70_000, values: [] }, ['objectId']],
    [{ kind: 'create', objectId: 2, instanceId: 65_535, values: [] }, ['instanceId']],
    [{ kind: 'create', objectId: 2, values: [{ path: '0/1/2', value: 1 }] }, ['values', '0', 'path']],
    [{ kind: 'execute', path: '/3/0' }, ['path']],
    [{ kind: 'execute', path: '/3/0/4', arguments: { 10: null } }, ['arguments', '10']],
    [{ kind: 'write-attributes', path: '/3', attributes: {} }, ['attributes']],
    [{ kind: 'write-attributes', path: '/3', attributes: { pmin: -1 } }, ['attributes', 'pmin']],
    [{ kind: 'write-attributes', path: '/3303/0/5700', attributes: { st: 0 } }, ['attributes', 'st']],
    [{ kind: 'observe', paths: ['/3/0/9'], attributes: { pmin: 3_000_000_000 } }, ['attributes', 'pmin']],
    [{ kind: 'discover', path: '/3/0/6/0' }, ['path']],
    [{ kind: 'discover', path: '/3', depth: 4 }, ['depth']],
    [{ kind: 'delete', path: '/3' }, ['path']],
    [
      {
        kind: 'write',
        mode: 'UPDATE',
        values: [
          { path: '/3/0/14', value: '+01:00' },
          { path: '/3/0/14', value: '+02:00' },
        ],
      },
      ['values'],
    ],
  ])('refuses %j', (input, field) => {
    expect(() => plan(input)).toThrow(expect.objectContaining({ code: 'VALIDATION', field }));
  });

  it.each<[Lwm2mVersion, OperationInput, string[]]>([
    ['1.0', { kind: 'read', paths: ['/3', '/3/0/6/0'] }, ['paths', '1']],
    ['1.0', { kind: 'read', paths: ['/'] }, ['paths', '0']],
    ['1.0', { kind: 'observe', paths: ['/3', '/4'] }, ['paths']],
    ['1.1', { kind: 'discover', path: '/3', depth: 1 }, ['depth']],
    ['1.1', { kind: 'delete', path: '/3/0/6/0' }, ['path']],
    [
      '1.0',
      { kind: 'write', mode: 'REPLACE', values: [{ path: '/3/0/11/0', value: 0 }], force: true },
      ['values', '0', 'path'],
    ],
  ])('refuses what LwM2M %s lacks: %j', (lwm2mVersion, input, field) => {
    expect(() => planOperation(input, { model: registryModel(), objects: [], lwm2mVersion })).toThrow(
      expect.objectContaining({ code: 'VALIDATION', field }),
    );
  });
});
