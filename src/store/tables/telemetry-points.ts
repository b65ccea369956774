import { index, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { devices } from './devices.ts';

export const telemetryPoints = pgTable(
  'telemetry_points',
  {
    /** The same as on the event that leaves for the broker. */
    eventId: uuid('event_id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    deviceId: uuid('device_id')
      .notNull()
      .references(() => devices.id, { onDelete: 'cascade' }),
    /** When the readings were taken, by the device's word. */
    timestamp: timestamp('timestamp', { withTimezone: true, precision: 3 }).notNull(),
    numericValues: jsonb('numeric_values').$type<Record<string, number>>().notNull(),
    stringValues: jsonb('string_values').$type<Record<string, string>>().notNull(),
    /** When we got them: what retention counts by, for a device's clock may be wrong. */
    receivedAt: timestamp('received_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    index('telemetry_points_history').on(table.deviceId, table.timestamp, table.eventId),
    index('telemetry_points_received').on(table.receivedAt),
    ...rowSecurity(table.tenantId),
  ],
);
