import { describe, expect, it } from 'vitest';
import { parseLinks, registeredObjects } from '../../../src/lwm2m/index.ts';
import type { Lwm2mVersion } from '../../../src/lwm2m/index.ts';
import { vectors } from '../codec/vectors.ts';

const objectsOf = (text: string, version: Lwm2mVersion = '1.1') => registeredObjects(parseLinks(text), version);

describe('the link list of a Register', () => {
  it.each(vectors.valid.filter((vector) => vector.expect !== undefined))(
    '$id: $meaning',
    ({ text = '', expect: expected }) => {
      const found = objectsOf(text);
      if (!found.ok) throw new Error(found.message);
      if (expected?.rootPath !== undefined) expect(found.rootPath).toBe(expected.rootPath);
      if (expected?.ct !== undefined) expect(found.contentFormats).toEqual(expected.ct);
      const instances = Object.fromEntries(found.objects.map(({ objectId, instanceIds }) => [objectId, instanceIds]));
      if (expected?.objects !== undefined) expect(instances).toEqual(expected.objects);
      const versions = Object.fromEntries(found.objects.map(({ objectId, version }) => [objectId, version]));
      expect(versions).toMatchObject(expected?.versions ?? {});
    },
  );

  it("gives core objects the versions of the device's LwM2M version, and others 1.0", () => {
    const text = '</0/0>,</1/0>,</2/0>,</3/0>,</4/0>,</5/0>,</6/0>,</7/0>,</23/0>,</3303/0>,</9999>;ver=2.1';
    const versions = (version: Lwm2mVersion) => {
      const found = objectsOf(text, version);
      return found.ok && found.objects.map((object) => object.version);
    };
    expect(versions('1.0')).toEqual(['1.0', '1.0', '1.0', '1.0', '1.0', '1.0', '1.0', '1.0', '1.0', '2.1']);
    expect(versions('1.1')).toEqual(['1.1', '1.0', '1.1', '1.2', '1.0', '1.0', '1.0', '1.0', '1.0', '2.1']);
    expect(versions('1.2')).toEqual(['1.2', '1.1', '1.2', '1.3', '1.1', '1.0', '1.0', '1.0', '1.0', '2.1']);
  });

  it('drops invalid links and keeps the others', () => {
    const found = objectsOf('</3>;ver=one.two,</4/0>,</65535/0>,</x/y>,</5/0/1>,</0/0>,</21/0>,</6/>');
    expect(found).toMatchObject({ ok: true, objects: [{ objectId: 4 }, { objectId: 6 }] });
    expect(found.ok && found.dropped.map(({ uri }) => uri)).toEqual([
      '/3',
      '/65535/0',
      '/x/y',
      '/5/0/1',
      '/0/0',
      '/21/0',
    ]);
  });

  it.each(vectors.invalid.filter(({ reject }) => reject === 'value'))(
    'refuses a list that contains only: $reason',
    ({ text = '' }) => {
      expect(objectsOf(text)).toMatchObject({ ok: false, code: '4.00' });
    },
  );

  it('accepts an empty list', () => {
    expect(objectsOf('')).toMatchObject({ ok: true, rootPath: '/', objects: [] });
    expect(objectsOf('</>;ct=112')).toMatchObject({ ok: true, contentFormats: [112], objects: [] });
  });

  it('never accepts a numeric alternate path', () => {
    expect(objectsOf('</3>;rt="oma.lwm2m",</3/0>')).toMatchObject({ rootPath: '/', objects: [{ objectId: 3 }] });
    expect(objectsOf('</a/b/>;rt="core oma.lwm2m",</a/b/3/0>')).toMatchObject({
      rootPath: '/a/b',
      objects: [{ objectId: 3, instanceIds: [0] }],
    });
  });
});
