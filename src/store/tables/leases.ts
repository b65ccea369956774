import { pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Work that only one process at a time may do, and the time until which it may. Only the system role uses it. */
export const leases = pgTable('leases', {
  name: text('name').primaryKey(),
  holder: uuid('holder').notNull(),
  until: timestamp('until', { withTimezone: true }).notNull(),
});
