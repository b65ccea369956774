import { describe, expect, it } from 'vitest';
import { Path, registryModel } from '../../src/lwm2m/index.ts';
import type { Lwm2mVersion } from '../../src/lwm2m/index.ts';
import { deviceObject } from '../../src/simulator/objects.ts';
import { ResourceTree } from '../../src/simulator/resource-tree.ts';

const model = registryModel();
const objects = [1, 3, 5, 3303, 3304, 3323, 3442, 6, 4];
const versions: readonly Lwm2mVersion[] = ['1.0', '1.1', '1.2'];
const cases = versions.flatMap((lwm2m) => objects.map((objectId) => [objectId, lwm2m] as const));

describe('the objects of a device', () => {
  it.each(cases)(
    'holds in /%i of LwM2M %s only what its definition has, in its types, with all that is mandatory',
    (objectId, lwm2m) => {
      const object = deviceObject(objectId, {
        lwm2m,
        model,
        bindings: 'U',
        serialNumber: '1',
        now: () => 0,
        bootstraps: false,
      });
      if (object === undefined) throw new Error(`${objectId} is in the registry`);
      const tree = new ResourceTree();
      tree.addInstance(objectId, 0, object.resources());
      const definitions = new Map(object.definition.resources.map((resource) => [resource.id, resource]));
      for (const { path, value } of tree.values(Path.root)) {
        const definition = definitions.get(path.resourceId ?? -1);
        expect([path.toString(), value.type]).toEqual([path.toString(), definition?.type]);
        expect(definition?.multiple).toBe(path.resourceInstanceId !== null);
      }
      const there = new Set([...tree.resourceIds(objectId, 0), ...object.executables]);
      const missing = object.definition.resources.filter(({ id, mandatory }) => mandatory && !there.has(id));
      expect(missing.map(({ name }) => name)).toEqual([]);
    },
  );

  it('can’t contain an object that the model lacks', () => {
    expect(
      deviceObject(32_000, { lwm2m: '1.1', model, bindings: 'U', serialNumber: '1', now: () => 0, bootstraps: false }),
    ).toBeUndefined();
  });
});
