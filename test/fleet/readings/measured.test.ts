import { describe, expect, it } from 'vitest';
import { measuredOf } from '../../../src/fleet/readings/measured.ts';
import { observationKey, Path, type Reading } from '../../../src/lwm2m/index.ts';

const paths = (...texts: string[]): Path[] => texts.map((text) => Path.parse(text));
const readings = ['/3303/0/5700', '/3303/0/5601'].map((path): Reading => ({
  type: 'Float',
  value: 1,
  path: Path.parse(path),
  time: null,
}));
const objects = [{ objectId: 3303, version: '1.0', instanceIds: [0] }];
const mappings = [{ path: '/3303/*/5700', metric: 'temperature' }];

/** For each reading, the observations whose notifications count. */
function counting(...running: Path[][]): string[][] {
  return readings.map(({ path }) =>
    running
      .filter((scope) => {
        const covered = readings.filter((reading) => scope.some((wider) => wider.contains(reading.path)));
        return measuredOf({ scope, readings: covered, running, mappings, objects }).some((one) =>
          one.path.equals(path),
        );
      })
      .map(observationKey),
  );
}

describe('of several observations of a resource', () => {
  it.each([
    ['the only one counts', [paths('/3303/0')], ['/3303/0', '/3303/0']],
    ['the one of the profile counts', [paths('/3303/0'), paths('/3303/0/5700')], ['/3303/0/5700', '/3303/0']],
    [
      'the one of the profile counts before a longer one',
      [paths('/3303/0/5700'), paths('/3303/0/5700/0')],
      ['/3303/0/5700'],
    ],
    [
      'the longest counts while the one of the profile does not run',
      [paths('/3303'), paths('/3303/0')],
      ['/3303/0', '/3303/0'],
    ],
    [
      'a composite one counts only for what no other covers',
      [paths('/3303/0/5601', '/3303/0/5700'), paths('/3303/0/5700')],
      ['/3303/0/5700', '/3303/0/5601 /3303/0/5700'],
    ],
    [
      'one of two composite ones counts',
      [paths('/3303/0/5601', '/3303/0/5700'), paths('/3303/0/5601', '/3/0/9')],
      ['/3303/0/5601 /3303/0/5700', '/3/0/9 /3303/0/5601'],
    ],
  ])('%s', (_case, running, [temperature, least]) => {
    expect(counting(...running)).toEqual([[temperature], least === undefined ? [] : [least]]);
  });
});
