import { bigint, index, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';

/** Events that wait to be sent to the broker. A row is deleted after it was sent. */
export const outbox = pgTable(
  'outbox',
  {
    /** The order in which the events of a device are sent. */
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    eventId: uuid('event_id').notNull(),
    tenantId: text('tenant_id').notNull(),
    /** Not a foreign key: the events of a deleted device are still sent. */
    deviceId: uuid('device_id').notNull(),
    kind: text('kind', { enum: ['telemetry', 'status'] }).notNull(),
    /** The event in its JSON encoding. */
    event: jsonb('event').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [index('outbox_created').on(table.createdAt), ...rowSecurity(table.tenantId)],
);
