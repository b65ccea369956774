import type { FormattedExecutionResult } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiWorld, dataOf, next, type ApiWorld } from '../../server/api-world.ts';
import { Path } from '../../../src/lwm2m/index.ts';
import { useStore } from '../../store/database.ts';

const store = useStore();
let world: ApiWorld;
beforeAll(async () => {
  world = await apiWorld(store());
});
afterAll(() => world.stop());

const CHANGES = `subscription ($id: ID!, $paths: [ResourcePath!]) {
  resourceChanged(deviceId: $id, paths: $paths) {
    initial complete completing paths { path state code message nextTry } resources { path value timestamp }
  }
}`;

interface Change {
  readonly initial: boolean;
  readonly complete: boolean;
  readonly completing: boolean;
  readonly paths: readonly { readonly path: string; readonly state: string; readonly code: string | null }[];
  readonly resources: readonly { readonly path: string; readonly value: unknown }[];
}

async function idOf(endpoint: string): Promise<string> {
  const query = 'query ($endpoint: String!) { device(endpoint: $endpoint) { id } }';
  return (await world.data<{ device: { id: string } }>(query, { endpoint })).device.id;
}

async function change(results: AsyncIterator<FormattedExecutionResult>): Promise<Change> {
  return dataOf<{ resourceChanged: Change }>(await next(results)).resourceChanged;
}

/** The events up to the first one that fulfils the condition, which is the last in the list. */
async function until(
  results: AsyncIterator<FormattedExecutionResult>,
  condition: (event: Change) => boolean,
): Promise<Change[]> {
  const seen = [await change(results)];
  while (!seen.slice(-1).some(condition)) seen.push(await change(results));
  return seen;
}

const isAt =
  (state: string) =>
  (event: Change): boolean =>
    event.paths.some((path) => path.state === state);

describe('a watch', () => {
  it('reports for each path whether the device reports its changes', async () => {
    await world.device('urn:watched:1');
    const paths = ['/3303/0/5700', '/3303/0/5518', '/3/0/4', '/3303/7', '/9'];
    const results = world.overSse(CHANGES, { id: await idOf('urn:watched:1'), paths }, world.tokens.viewer);
    const events = await until(results, ({ complete }) => complete);
    expect(events[0]).toMatchObject({ initial: true });
    expect(events.at(-1)?.paths).toMatchObject([
      { path: '/3303/0/5700', state: 'WATCHING', code: null, nextTry: null },
      { path: '/3303/0/5518', state: 'REJECTED', code: '4.04' },
      { path: '/3/0/4', state: 'REJECTED', code: null, message: '/3/0/4 is executable and has no value' },
      { path: '/3303/7', state: 'NOT_ON_DEVICE' },
      { path: '/9', state: 'NOT_ON_DEVICE' },
    ]);
    await results.return?.();
  });

  it('has all values when it is complete, also those that were not stored before', async () => {
    await world.device('urn:watched:2');
    const results = world.overSse(CHANGES, { id: await idOf('urn:watched:2'), paths: ['/3'] }, world.tokens.viewer);
    const events = await until(results, ({ complete }) => complete);
    const [first, last] = [events[0], events.at(-1)];
    expect(first).toMatchObject({ initial: true, complete: false, paths: [{ path: '/3', state: 'WAITING' }] });
    expect(last).toMatchObject({ initial: true, complete: true, paths: [{ path: '/3', state: 'WATCHING' }] });
    const known = last?.resources.map(({ path }) => path) ?? [];
    expect(known).toEqual(expect.arrayContaining(['/3/0/0', '/3/0/9', '/3/0/16']));
    expect(first?.resources.length).toBeLessThan(known.length);
    const again = world.overSse(CHANGES, { id: await idOf('urn:watched:2'), paths: ['/3'] }, world.tokens.viewer);
    const whole = await change(again);
    expect(whole).toMatchObject({ initial: true, complete: true, paths: [{ path: '/3', state: 'WATCHING' }] });
    expect(whole.resources.map(({ path }) => path)).toEqual(known);
    await results.return?.();
    await again.return?.();
  });

  it('marks the values that complete it, so that they differ from changes', async () => {
    const device = await world.device('urn:watched:6');
    const paths = ['/3303/0/5700', '/3303/0/5601'];
    const results = world.overSse(CHANGES, { id: await idOf('urn:watched:6'), paths }, world.tokens.viewer);
    const events = await until(results, ({ complete }) => complete);
    const brought = events.slice(1, -1).filter(({ resources }) => resources.length > 0);
    expect(brought.map(({ initial, completing, resources }) => [initial, completing, resources[0]?.path])).toEqual(
      expect.arrayContaining([[false, true, '/3303/0/5601']]),
    );
    expect(brought.every(({ completing }) => completing)).toBe(true);
    expect([events[0], events.at(-1)]).toMatchObject([{ completing: false }, { initial: true, completing: false }]);
    device.tree.set(Path.of(3303, 0, 5601), { type: 'Float', value: 4.5 });
    const [changed] = (await until(results, ({ resources }) => resources.some(({ value }) => value === 4.5))).slice(-1);
    expect(changed).toMatchObject({ initial: false, complete: true, completing: false });
    await results.return?.();
  });

  it('reports when the device goes, and when it comes back', async () => {
    const device = await world.device('urn:watched:3');
    const id = await idOf('urn:watched:3');
    const results = world.overSse(CHANGES, { id, paths: ['/3303/0/5700'] }, world.tokens.viewer);
    await until(results, isAt('WATCHING'));
    await device.stop();
    expect((await until(results, isAt('WAITING'))).at(-1)).toMatchObject({
      complete: false,
      paths: [{ message: 'the device is not registered' }],
    });
    await world.device('urn:watched:3');
    expect((await until(results, isAt('WATCHING'))).at(-1)).toMatchObject({ initial: true, complete: true });
    await results.return?.();
  });

  it('without paths has no states and is complete', async () => {
    await world.device('urn:watched:4');
    const results = world.overSse(CHANGES, { id: await idOf('urn:watched:4') }, world.tokens.viewer);
    expect(await change(results)).toMatchObject({ initial: true, complete: true, paths: [] });
    await results.return?.();
  });

  it('is refused for the root', async () => {
    await world.device('urn:watched:5');
    const results = world.overSse(CHANGES, { id: await idOf('urn:watched:5'), paths: ['/3', '/'] });
    expect((await next(results)).errors?.[0]).toMatchObject({
      message: expect.stringContaining('leave `paths` out'),
      extensions: { code: 'VALIDATION', field: ['paths', '1'] },
    });
  });
});
