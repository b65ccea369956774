import { beforeAll, describe, expect, it } from 'vitest';

import type { Actor, PageRequest, TenantId } from '../../src/fleet/index.ts';
import { insertRows, telemetryPoints } from '../../src/store/index.ts';
import { createHistory, type HistoryFilter, type TelemetryHistory } from '../../src/telemetry/history.ts';
import { useStore } from '../store/database.ts';
import { addDevice, type KnownDevice } from './known-device.ts';

const store = useStore({ poolSize: 1 });
const start = Date.UTC(2026, 4, 29);
const minute = (n: number): Date => new Date(start + n * 60_000);
const viewer: Actor = { tenantId: 'acme' as TenantId, role: 'viewer', subject: 'key:1', keyId: '1' };

let history: TelemetryHistory;
let device: KnownDevice;

const row = (of: KnownDevice, n: number, index: number): typeof telemetryPoints.$inferInsert => ({
  eventId: crypto.randomUUID(),
  ...of,
  timestamp: minute(n),
  numericValues: index % 2 === 0 ? { temperature: index, humidity: 40 } : { temperature: index },
  stringValues: index === 5 ? { model: 'TL-1' } : {},
  receivedAt: minute(n),
});

/** Stores ten points, one minute apart, temperature = minute; two have the same time. Even ones also have a humidity. */
beforeAll(async () => {
  history = createHistory(store());
  device = await addDevice(store(), 'acme');
  const other = await addDevice(store(), 'acme');
  const rows = [0, 1, 2, 3, 4, 5, 6, 7, 8, 8].map((n, index) => row(device, n, index));
  await store().asSystem((tx) => insertRows(tx, telemetryPoints, [...rows, row(other, 3, 3)]));
});

const page = (request: PageRequest, filter?: HistoryFilter) => history.page(viewer, device.deviceId, request, filter);
const temperatures = async (request: PageRequest, filter?: HistoryFilter): Promise<(number | undefined)[]> =>
  (await page(request, filter)).edges.map(({ node }) => node.numericValues['temperature']);

describe('the history of a device', () => {
  it('contains only its own points, newest first', async () => {
    const all = await temperatures({ first: 200 });
    expect([...all].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(all.slice(2)).toEqual([7, 6, 5, 4, 3, 2, 1, 0]);
  });

  it('has pages without gaps and duplicates, even for points with the same time', async () => {
    const seen: (number | undefined)[] = [];
    let after: string | null = null;
    for (let pages = 1; ; pages++) {
      const { edges, hasNextPage, hasPreviousPage } = await page({ first: 3, after });
      expect(hasPreviousPage).toBe(pages > 1);
      seen.push(...edges.map(({ node }) => node.numericValues['temperature']));
      after = edges.at(-1)?.cursor ?? null;
      if (!hasNextPage) break;
    }
    expect(seen).toEqual(await temperatures({ first: 200 }));
  });

  it('can be paged backwards from its end', async () => {
    const oldest = await page({ last: 3 });
    expect(oldest.edges.map(({ node }) => node.numericValues['temperature'])).toEqual([2, 1, 0]);
    expect(await temperatures({ last: 2, before: oldest.edges[0]?.cursor ?? null })).toEqual([4, 3]);
  });

  it('can be filtered by time: from inclusive, to exclusive', async () => {
    expect(await temperatures({ first: 200 }, { from: minute(2), to: minute(5) })).toEqual([4, 3, 2]);
  });

  it('can be filtered by metrics, and shows only these metrics', async () => {
    const { edges } = await page({ first: 200 }, { metrics: ['humidity', 'model'], to: minute(7) });
    expect(edges.map(({ node }) => ({ ...node.numericValues, ...node.stringValues }))).toEqual([
      { humidity: 40 },
      { model: 'TL-1' },
      { humidity: 40 },
      { humidity: 40 },
      { humidity: 40 },
    ]);
    expect(await temperatures({ first: 200 }, { metrics: [] })).toEqual([]);
    expect(await temperatures({ first: 200 }, { metrics: ["x'] or true --"] })).toEqual([]);
  });

  it('is empty for another tenant and for a malformed device id', async () => {
    const stranger: Actor = { ...viewer, tenantId: 'umbrella' as TenantId };
    expect((await history.page(stranger, device.deviceId, { first: 10 })).edges).toEqual([]);
    expect((await history.page(viewer, 'no uuid' as typeof device.deviceId, { first: 10 })).edges).toEqual([]);
  });

  it.each([
    ['a malformed cursor', 'nonsense'],
    ['a cursor of another list', Buffer.from('["urn:imei:1","x"]').toString('base64url')],
    ['a cursor without an id', Buffer.from(`["${minute(1).toISOString()}","x"]`).toString('base64url')],
    ['a cursor without a time', Buffer.from(`["soon","${crypto.randomUUID()}"]`).toString('base64url')],
  ])('is refused for %s', async (_case, after) => {
    await expect(page({ first: 1, after })).rejects.toMatchObject({ code: 'VALIDATION', field: ['after'] });
  });

  it('is refused before a cursor of something else', async () => {
    const before = Buffer.from('["urn:imei:1","x"]').toString('base64url');
    await expect(page({ last: 1, before })).rejects.toMatchObject({ code: 'VALIDATION', field: ['before'] });
  });

  it('has all values of a point, with its ids and its time', async () => {
    const [oldest] = (await page({ last: 1 })).edges;
    expect(oldest?.node).toEqual({
      eventId: expect.any(String),
      ...device,
      timestamp: minute(0),
      receivedAt: minute(0),
      numericValues: { temperature: 0, humidity: 40 },
      stringValues: {},
    });
  });
});
