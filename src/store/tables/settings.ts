import { jsonb, pgTable, text } from 'drizzle-orm/pg-core';

/** What the installation knows of itself, across tenants: the system's alone. */
export const settings = pgTable('settings', {
  key: text('key').primaryKey(),
  value: jsonb('value').notNull(),
});
