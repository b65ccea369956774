import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';

import { apiKeys, tenants } from '../../src/store/index.ts';
import { useStore } from './database.ts';

const store = useStore({ poolSize: 1 });
const now = new Date('2026-01-01T00:00:00Z');

describe('a transaction as one tenant', () => {
  it('x', async () => {
    await store().asSystem((tx) => tx.insert(tenants).values({id:'a',name:'A',createdAt:now}));
    expect(await store().asTenant('a', (tx) => tx.select().from(tenants))).toHaveLength(1);
  });
});
