import { describe, expect, it } from 'vitest';
import type { OperationInput, RpcMethod } from '../../../src/fleet/index.ts';
import { operationOf } from '../../../src/fleet/operations/method.ts';

const METHODS: RpcMethod[] = [
  { name: 'dim', operation: 'WRITE', path: '/3311/{{lamp}}/5851', parameters: { value: '{{level}}' } },
  { name: 'label', operation: 'WRITE', path: '/3311/0/5750', parameters: { value: 'lamp {{name}}', mode: 'UPDATE' } },
  { name: 'open', operation: 'EXECUTE', path: '/9/0/4', parameters: { arguments: { '0': '{{door}}' } } },
  { name: 'measure', operation: 'READ', path: '/3303/0/5700' },
  {
    name: 'allow',
    operation: 'CREATE',
    path: '/2',
    parameters: { values: [{ path: '0', value: '{{object}}' }] },
  },
  { name: 'forget', operation: 'DELETE', path: '/2/{{instance}}' },
  { name: 'reboot', operation: 'EXECUTE', path: '/3/1/4' },
  // An earlier version stored it.
  { name: 'broken', operation: 'READ', path: '/3/0/9', parameters: { depth: 1 } },
];

describe('a call of a method', () => {
  it.each<[string, unknown, OperationInput]>([
    ['dim', { lamp: 2, level: 80 }, { kind: 'write', mode: 'REPLACE', values: [{ path: '/3311/2/5851', value: 80 }] }],
    ['label', { name: 7 }, { kind: 'write', mode: 'UPDATE', values: [{ path: '/3311/0/5750', value: 'lamp 7' }] }],
    ['open', { door: 'front' }, { kind: 'execute', path: '/9/0/4', arguments: { '0': 'front' } }],
    ['measure', {}, { kind: 'read', paths: ['/3303/0/5700'] }],
    ['allow', { object: 3 }, { kind: 'create', objectId: 2, values: [{ path: '0', value: 3 }] }],
    ['forget', { instance: 1 }, { kind: 'delete', path: '/2/1' }],
    ['reboot', null, { kind: 'execute', path: '/3/1/4' }],
    ['factory_reset', {}, { kind: 'execute', path: '/3/0/5' }],
    ['read', { paths: ['/3/0/9'] }, { kind: 'read', paths: ['/3/0/9'] }],
    [
      'write',
      { values: [{ path: '/1/0/1', value: 60 }] },
      { kind: 'write', mode: 'REPLACE', values: [{ path: '/1/0/1', value: 60 }] },
    ],
    ['discover', { path: '/3', depth: 1 }, { kind: 'discover', path: '/3', depth: 1 }],
  ])('%s with %j is %j', (method, params, operation) => {
    expect(operationOf(method, params, METHODS)).toEqual(operation);
  });

  it.each<[string, unknown, string[]]>([
    ['explode', {}, ['method']],
    ['constructor', {}, ['method']],
    ['dim', { lamp: 2 }, ['params', 'level']],
    ['dim', 'all', ['params']],
    ['read', { paths: '/3/0/9' }, ['params', 'paths']],
    ['read', { paths: ['/3'], path: '/3' }, ['params', 'path']],
    ['reboot', { delay: 5 }, ['params', 'delay']],
    ['write-attributes', { path: '/3/0/9', attributes: { pmix: 5 } }, ['params', 'attributes', 'pmix']],
    ['write', { values: [{ path: '/3', value: 1, time: 0 }] }, ['params', 'values', '0', 'time']],
    ['dim', { lamp: '0/5850', level: 80 }, ['params', 'lamp']],
    ['dim', { lamp: null, level: 80 }, ['params', 'lamp']],
    ['label', { name: { a: 1 } }, ['params', 'name']],
    ['broken', {}, ['method']],
    ['write', { values: [{ path: '/3' }] }, ['params', 'values', '0', 'value']],
    ['open', { door: 7 }, ['params', 'door']],
  ])('%s with %j is refused at %j', (method, params, field) => {
    expect(() => operationOf(method, params, METHODS)).toThrow(expect.objectContaining({ code: 'VALIDATION', field }));
  });
});
