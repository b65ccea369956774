import { pgTable, text, timestamp } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';

export const tenants = pgTable(
  'tenants',
  {
    /** A slug. It is part of topic names and of every event. */
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  },
  (table) => rowSecurity(table.id),
);
