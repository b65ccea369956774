import { describe, expect, it } from 'vitest';
import {
  enumerationEntries,
  impliedObjectVersion,
  objectModel,
  overlayModel,
  registryDate,
  registryModel,
} from '../../../src/lwm2m/index.ts';
import type { ObjectDefinition } from '../../../src/lwm2m/index.ts';

const registry = registryModel();

function definition(id: number, version: string, name = 'Own'): ObjectDefinition {
  const resource = { operations: 'RW', multiple: false, mandatory: false, range: '', units: '' } as const;
  return {
    id,
    version,
    name,
    urn: '',
    lwm2mVersion: '1.0',
    multiple: true,
    mandatory: false,
    resources: [{ ...resource, id: 0, name: 'Zero', type: 'String' }],
  };
}

describe('the OMA registry', () => {
  it('has every object, version and resource of its source', () => {
    const definitions = [...registry.definitions()];
    expect(definitions).toHaveLength(436);
    expect(new Set(definitions.map(({ id }) => id)).size).toBe(337);
    expect(definitions.reduce((sum, { resources }) => sum + resources.length, 0)).toBe(4678);
  });

  it('has objects that are newer than the day up to which it is complete', () => {
    expect(registryDate()).toBe('2024-02-22');
    const newer = [3463, 3464, 10498, 10499, 10500, 10501, 10502, 10507, 10508, 10510];
    expect(newer.map((id) => registry.object(id)?.name)).toEqual([
      'uCIFI Test Object',
      'uCIFI Virtual Sensor',
      'Discharge',
      'Discharge Alarm',
      'Valve Alarm',
      'Discharge Status',
      'Water Tank',
      'Electrical Conductivity Readings',
      'Electrical Conductivity Alarm',
      'Battery Passport Dynamic Data',
    ]);
    expect(registry.resource(10502, 2)).toMatchObject({ name: 'Tank Cross Section', type: 'Float', units: 'm2' });
  });

  it('words the enumerations of OpenAIS as their files do', () => {
    const { range = '' } = registry.resource(3387, 800) ?? {};
    expect(range).toBe('0: disabled\n1: normal\n2: remote\n3: local\n255: non_responsive');
    expect(enumerationEntries(range)?.map(({ low, label }) => [low, label])).toEqual([
      [0, 'disabled'],
      [1, 'normal'],
      [2, 'remote'],
      [3, 'local'],
      [255, 'non_responsive'],
    ]);
  });

  it('contains resources with their operations, types, ranges and units', () => {
    expect(registry.object(3303)).toMatchObject({
      name: 'Temperature',
      urn: 'urn:oma:lwm2m:ext:3303:1.1',
      multiple: true,
      mandatory: false,
    });
    expect(registry.resource(3, 9, '1.0')).toEqual({
      id: 9,
      name: 'Battery Level',
      operations: 'R',
      multiple: false,
      mandatory: false,
      type: 'Integer',
      range: '0..100',
      units: '%',
    });
    expect(registry.resource(3, 4)).toMatchObject({ name: 'Reboot', operations: 'E', type: null, mandatory: true });
    expect(registry.resource(3, 6)).toMatchObject({ multiple: true });
    expect(registry.resource(3, 999)).toBeUndefined();
    expect(registry.object(60000)).toBeUndefined();
  });

  it('lists objects and resources in order, each version once', () => {
    const keys = [...registry.definitions()].map(({ id, version }) => id * 1e6 + Number(version.replace('.', '')));
    expect(keys).toEqual([...new Set(keys)].sort((left, right) => left - right));
    for (const { resources } of registry.definitions()) {
      const ids = resources.map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)].sort((left, right) => left - right));
    }
  });

  it('finds a version, else the highest minor version of its major, else nothing', () => {
    expect(registry.object(3, '1.0')?.version).toBe('1.0');
    expect(registry.object(3, '1.9')?.version).toBe('1.3');
    expect(registry.object(3, '2.0')).toBeUndefined();
    expect(registry.object(21, '1.5')?.version).toBe('1.1');
    expect(registry.object(21)?.version).toBe('2.0');
  });

  it('unpacks a definition once', () => {
    expect(registry.object(3, '1.1')).toBe(registry.object(3, '1.1'));
  });
});

describe('definitions of a tenant', () => {
  it('take precedence over the registry when both have the version, or without a version', () => {
    const model = overlayModel([definition(3303, '1.0'), definition(9999, '1.2')], registry);
    expect(model.object(3303, '1.0')?.name).toBe('Own');
    expect(model.object(3303)?.name).toBe('Own');
    expect(model.resource(3303, 0, '1.0')?.type).toBe('String');
    expect(model.resource(3303, 5700, '1.0')).toBeUndefined();
    expect(model.object(3303, '1.1')?.name).toBe('Temperature');
    expect(model.object(9999, '1.0')?.version).toBe('1.2');
    expect(model.object(9999, '2.0')).toBeUndefined();
    expect(model.object(3, '1.0')?.name).toBe('Device');
  });

  it('give the highest minor version of both when neither has the requested one', () => {
    expect(overlayModel([definition(3, '1.7')], registry).object(3, '1.9')?.name).toBe('Own');
    expect(overlayModel([definition(3, '1.0')], registry).object(3, '1.9')?.name).toBe('Device');
    expect(overlayModel([definition(3, '1.10')], registry).object(3, '1.99')?.version).toBe('1.10');
  });

  it('are listed in order of id and version', () => {
    const base = objectModel([definition(1, '1.0', 'A'), definition(3, '1.0', 'C')]);
    const model = overlayModel(
      [definition(2, '1.0', 'B'), definition(3, '1.0', 'own C'), definition(3, '1.10', 'later C')],
      base,
    );
    expect([...model.definitions()].map(({ name }) => name)).toEqual(['A', 'B', 'own C', 'later C']);
  });

  it('may extend other definitions of a tenant', () => {
    const tenant = overlayModel([definition(9999, '1.0', 'tenant')], registry);
    const device = overlayModel([definition(9999, '1.0', 'device')], tenant);
    expect(device.object(9999)?.name).toBe('device');
    expect(tenant.object(9999)?.name).toBe('tenant');
  });
});

describe('the version of an object without ver', () => {
  it.each([
    ['1.0', ['1.0', '1.0', '1.0', '1.0', '1.0', '1.0', '1.0', '1.0', '1.0', '1.0']],
    ['1.1', ['1.1', '1.1', '1.0', '1.1', '1.2', '1.0', '1.0', '1.0', '1.0', '1.0']],
    ['1.2', ['1.2', '1.2', '1.1', '1.2', '1.3', '1.1', '1.0', '1.0', '1.1', '1.0']],
  ] as const)('of LwM2M %s', (lwm2mVersion, versions) => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 21, 23].map((id) => impliedObjectVersion(id, lwm2mVersion))).toEqual(versions);
    expect(impliedObjectVersion(3303, lwm2mVersion)).toBe('1.0');
  });
});
