import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiWorld, next, type ApiWorld } from '../../server/api-world.ts';
import { useStore } from '../../store/database.ts';

const store = useStore();
let api: ApiWorld;
beforeAll(async () => {
  api = await apiWorld(store());
});
afterAll(() => api.stop());

const LIST = 'query ($filter: DeviceFilter) { devices(filter: $filter) { totalCount } }';
const EVENTS = 'subscription ($filter: DeviceFilter) { deviceStatusChanged(filter: $filter) { endpoint } }';

/** The places where a filter occurs, each with what it answers. */
const places: Readonly<Record<string, (filter: object) => Promise<{ errors?: readonly unknown[] }>>> = {
  'the list over HTTP': async (filter) => {
    const { status, body } = await api.ask(LIST, { filter });
    expect(status).toBe(200);
    return body;
  },
  'the list over a WebSocket': (filter) => next(api.overWebSocket(LIST, { filter })),
  'the list over SSE': (filter) => next(api.overSse(LIST, { filter })),
  'the events over a WebSocket': (filter) => next(api.overWebSocket(EVENTS, { filter })),
  'the events over SSE': (filter) => next(api.overSse(EVENTS, { filter })),
};

describe('an invalid filter of devices', () => {
  it.each<[object, string[], string]>([
    [{ search: 'x'.repeat(256) }, ['filter', 'search'], 'xxx'],
    [{ objectId: -1 }, ['filter', 'objectId'], '-1'],
    [{ objectId: 65_535 }, ['filter', 'objectId'], '65535'],
    [{ ids: Array(201).fill('x') }, ['filter', 'ids'], '201'],
    [{ ids: ['no id'] }, ['filter', 'ids', '0'], 'no id'],
    [{ tags: Array(201).fill('x') }, ['filter', 'tags'], '201'],
    [{ profileId: 'no id' }, ['filter', 'profileId'], 'no id'],
  ])('is rejected in the same way wherever it occurs: %#', async (filter, field, value) => {
    const answers: Record<string, unknown> = {};
    for (const [place, ask] of Object.entries(places)) answers[place] = (await ask(filter)).errors;
    const message = expect.stringMatching(new RegExp(`^${field.join('\\.')}: .*${value}`));
    const error = { message, extensions: { code: 'VALIDATION', field } };
    for (const place of Object.keys(places)) {
      expect(answers, place).toMatchObject({ [place]: [error] });
    }
    expect(api.logged).toEqual([]);
  });
});
