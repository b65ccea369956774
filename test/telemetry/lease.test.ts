import { sql } from 'drizzle-orm';
import { beforeEach, expect, it } from 'vitest';

import { leases } from '../../src/store/index.ts';
import { holdLease, releaseLease } from '../../src/telemetry/lease.ts';
import { useStore } from '../store/database.ts';

const store = useStore({ poolSize: 1 });
const mine = crypto.randomUUID();
const theirs = crypto.randomUUID();

beforeEach(() => store().asSystem((tx) => tx.delete(leases)));

const hold = (name: string, holder: string, ms = 60_000): Promise<boolean> =>
  store().asSystem((tx) => holdLease(tx, name, holder, ms));
const release = (name: string, holder: string): Promise<void> =>
  store().asSystem((tx) => releaseLease(tx, name, holder));
const holders = (): Promise<object[]> =>
  store().asSystem((tx) => tx.select({ name: leases.name, holder: leases.holder }).from(leases).orderBy(leases.name));
const secondsLeft = async (): Promise<unknown> =>
  (
    await store().asSystem((tx) =>
      tx.execute(sql`select round(extract(epoch from until - now()))::int as left from leases`),
    )
  ).rows[0]?.['left'];

it('is had by one holder at a time, who may prolong it', async () => {
  expect(await hold('work', mine, 30_000)).toBe(true);
  expect(await secondsLeft()).toBeLessThanOrEqual(30);
  expect(await hold('work', theirs)).toBe(false);
  expect(await hold('work', mine, 90_000)).toBe(true);
  expect(await secondsLeft()).toBeGreaterThan(60);
  expect(await holders()).toEqual([{ name: 'work', holder: mine }]);
});

it('of one name says nothing of another', async () => {
  expect(await hold('one', mine)).toBe(true);
  expect(await hold('other', theirs)).toBe(true);
  await release('other', theirs);
  expect(await holders()).toEqual([{ name: 'one', holder: mine }]);
});

it('that has run out may be had by another, and then no more by the first', async () => {
  expect(await hold('work', mine, -1_000)).toBe(true);
  expect(await hold('work', theirs)).toBe(true);
  expect(await hold('work', mine)).toBe(false);
});

it('is given back by its holder only', async () => {
  await hold('work', mine);
  await release('work', theirs);
  expect(await holders()).toEqual([{ name: 'work', holder: mine }]);
  await release('work', mine);
  expect(await hold('work', theirs)).toBe(true);
});
