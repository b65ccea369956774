import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { nodeProblem } from '../../src/cli/node-version.ts';

it.each([
  ['18.20.4', 'Node 18.20.4 is too old; Treeline needs Node 20.19 or newer'],
  ['20.18.3', 'Node 20.18.3 is too old; Treeline needs Node 20.19 or newer'],
  ['20.19.0', null],
  ['24.0.0', null],
])('on Node %s the problem is %j', (version, problem) => {
  expect(nodeProblem(version)).toBe(problem);
});

it('needs the version that package.json names', () => {
  expect(JSON.parse(readFileSync('package.json', 'utf8'))).toMatchObject({ engines: { node: '>=20.19' } });
});
