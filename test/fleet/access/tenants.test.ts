import { expect, it } from 'vitest';
import { DEFAULT_TENANT, ensureDefaultTenant } from '../../../src/fleet/access/index.ts';
import { tenants } from '../../../src/store/index.ts';
import { ManualClock } from '../../manual-clock.ts';
import { useStore } from '../../store/database.ts';

const store = useStore({ poolSize: 1 });

it('makes the default tenant at the first start, and leaves it as it is at the next', async () => {
  const clock = new ManualClock();
  const first = new Date(clock.now());
  await ensureDefaultTenant(store(), clock);
  await clock.advance(1_000);
  await ensureDefaultTenant(store(), clock);
  const rows = await store().asSystem((tx) => tx.select().from(tenants));
  expect(rows).toMatchObject([{ id: DEFAULT_TENANT, createdAt: first }]);
});
