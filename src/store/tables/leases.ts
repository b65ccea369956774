import { pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Work that one process at a time may do, and until when it has it: the system's alone. */
export const leases = pgTable('leases', {
  name: text('name').primaryKey(),
  holder: uuid('holder').notNull(),
  until: timestamp('until', { withTimezone: true }).notNull(),
});
