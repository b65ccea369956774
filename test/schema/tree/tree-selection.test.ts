import { describe, expect, it } from 'vitest';
import { narrow, parseSelector, selects } from '../../../schema/tree/tree-selection.ts';
import type { DeviceId, ResourceState } from '../../../src/fleet/index.ts';

function state(path: string, value: ResourceState['value'] = 1): ResourceState {
  const [objectId = 0, instanceId = 0, resourceId = 0] = path.split('/').slice(1).map(Number);
  const deviceId = '00000000-0000-4000-8000-000000000001' as DeviceId; // any device
  const known = { type: 'Integer', typeGuessed: false, value, timestamp: null, source: 'READ' } as const;
  return { deviceId, path, objectId, instanceId, resourceId, ...known };
}

describe('a selector', () => {
  it.each([
    ['/', '/3/0/9', true],
    ['/3', '/3/0/9', true],
    ['/3', '/33/0/9', false],
    ['/3303/1', '/3303/1/5700', true],
    ['/3303/1', '/3303/0/5700', false],
    ['/3303/*/5700', '/3303/7/5700', true],
    ['/3303/*/5700', '/3303/7/5701', false],
    ['/*', '/3/0/9', true],
    ['/3/0/6/1', '/3/0/6', true],
  ])('%s selects %s: %s', (selector, path, selected) => {
    expect(selects(parseSelector(selector), state(path))).toBe(selected);
  });

  it('of a resource instance sees that instance alone', () => {
    const multiple = state('/3/0/6', { 0: 1, 1: 5 });
    expect(narrow(parseSelector('/3/0/6/1'), multiple)).toMatchObject({ path: '/3/0/6/1', value: 5 });
    expect(narrow(parseSelector('/3/0/6/2'), multiple)).toBeNull();
    expect(narrow(parseSelector('/3/0/6'), multiple)).toBe(multiple);
    expect(narrow(parseSelector('/3/0/9/0'), state('/3/0/9'))).toBeNull();
  });
});
