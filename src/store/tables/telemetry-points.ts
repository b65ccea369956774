import { index, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { sameTenant } from '../same-tenant.ts';
import { devices } from './devices.ts';

export const telemetryPoints = pgTable(
  'telemetry_points',
  {
    /** The ID of the event that is sent to the broker. */
    eventId: uuid('event_id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    deviceId: uuid('device_id').notNull(),
    /** When the readings were measured, according to the device. */
    timestamp: timestamp('timestamp', { withTimezone: true, precision: 3 }).notNull(),
    numericValues: jsonb('numeric_values').$type<Record<string, number>>().notNull(),
    stringValues: jsonb('string_values').$type<Record<string, string>>().notNull(),
    /** When the server received them. Retention uses this time, because a device's clock may be wrong. */
    receivedAt: timestamp('received_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    index('telemetry_points_history').on(table.deviceId, table.timestamp, table.eventId),
    index('telemetry_points_received').on(table.receivedAt),
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    ...rowSecurity(table.tenantId),
  ],
);
