import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../../src/fleet/index.ts';
import { measuredAt, treeChange, type DeviceReadings } from '../../../src/fleet/readings/last-values.ts';
import { Path, type Reading } from '../../../src/lwm2m/index.ts';

const NOW = Date.UTC(2026, 0, 1);
const reading = (path: string, value: number, time: number | null = null): Reading => ({
  path: Path.parse(path),
  type: 'Integer',
  value,
  time,
});
const batch = (scope: string[], readings: Reading[], empty: string[] = [], device = 'a'): DeviceReadings => ({
  deviceId: device as DeviceId, // any text will do here
  origin: 'READ',
  scope: scope.map((path) => Path.parse(path)),
  readings,
  empty: empty.map((path) => Path.parse(path)),
  receivedAt: NOW,
});

function change(...batches: DeviceReadings[]): { values: string[]; gone: string[] } {
  const { values, gone } = treeChange(batches);
  return {
    values: values.map(({ deviceId, path, value }) => `${deviceId} ${path} = ${value}`),
    gone: gone.map(({ deviceId, path }) => `${deviceId} ${path}`),
  };
}

describe('what batches of readings do to the tree', () => {
  it('is one value for each place, sorted, the last of several', () => {
    const first = batch([], [reading('/3/0/9', 1), reading('/3/0/6/1', 2)], [], 'b');
    const second = batch([], [reading('/3/0/9', 3), reading('/3/0/10', 4)], [], 'b');
    expect(change(first, batch([], [reading('/3/0/9', 5)]), second)).toEqual({
      values: ['a /3/0/9 = 5', 'b /3/0/6/1 = 2', 'b /3/0/9 = 3', 'b /3/0/10 = 4'],
      gone: [],
    });
  });

  it('is the newest of a history, in whatever order it came', () => {
    const readings = [reading('/3/0/9', 3, 300), reading('/3/0/9', 1, 100), reading('/3/0/9', 2, 200)];
    expect(change(batch([], readings)).values).toEqual(['a /3/0/9 = 3']);
  });

  it('leaves nothing of an earlier batch that a later read of the whole does not hold', () => {
    const before = batch([], [reading('/3/0/9', 1), reading('/3/0/13', 2), reading('/4/0/1', 3)]);
    expect(change(before, batch(['/3/0'], [reading('/3/0/9', 4)]))).toEqual({
      values: ['a /3/0/9 = 4', 'a /4/0/1 = 3'],
      gone: ['a /3/0'],
    });
  });

  it('needs no removal for the notification of one value', () => {
    expect(change(batch(['/3/0/9'], [reading('/3/0/9', 1)])).gone).toEqual([]);
    expect(change(batch(['/3/0/6'], [reading('/3/0/6/0', 1)])).gone).toEqual(['a /3/0/6']);
    expect(change(batch(['/3/0/9'], [])).gone).toEqual(['a /3/0/9']);
  });

  it('shows a multiple resource without instances, and no value that is too large', () => {
    expect(change(batch(['/3/0/6'], [], ['/3/0/6']))).toEqual({ values: ['a /3/0/6 = {}'], gone: ['a /3/0/6'] });
    const large: Reading = { path: Path.parse('/5/0/0'), type: 'Opaque', value: new Uint8Array(300_000), time: null };
    expect(change(batch([], [large])).values).toEqual(['a /5/0/0 = null']);
  });
});

describe('the time of a reading', () => {
  it.each([
    [null, NOW],
    [NOW / 1000 - 60.5, NOW - 60_500],
    [NOW / 1000 + 60, NOW],
    [-1, NOW],
    [Number.NaN, NOW],
    [1e300, NOW],
  ])('%s is %s', (seconds, milliseconds) => {
    expect(measuredAt(seconds, NOW)).toBe(milliseconds);
  });
});
