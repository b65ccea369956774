import { bigint, index, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';

/** What waits to leave for the broker; a row that was sent is deleted. */
export const outbox = pgTable(
  'outbox',
  {
    /** The order in which one device's events leave. */
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    eventId: uuid('event_id').notNull(),
    tenantId: text('tenant_id').notNull(),
    /** No reference: what a device said before it was deleted still leaves. */
    deviceId: uuid('device_id').notNull(),
    kind: text('kind', { enum: ['telemetry', 'status'] }).notNull(),
    /** The event as its JSON encoding has it. */
    event: jsonb('event').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [index('outbox_created').on(table.createdAt), ...rowSecurity(table.tenantId)],
);
