import { bigint, customType, index, integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { devices } from './devices.ts';

const bytea = customType<{ data: Uint8Array; driverData: Buffer }>({
  dataType: () => 'bytea',
  toDriver: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  fromDriver: (buffer) => new Uint8Array(buffer),
});

/** What could not be used, with the reason: payloads and readings of a device, events that the broker takes never. */
export const deadLetters = pgTable(
  'dead_letters',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    tenantId: text('tenant_id').notNull(),
    deviceId: uuid('device_id')
      .notNull()
      .references(() => devices.id, { onDelete: 'cascade' }),
    /** The resource of a reading; of a payload, the path it came for; of an event, its topic. */
    path: text('path').notNull(),
    kind: text('kind', { enum: ['payload', 'reading', 'event'] }).notNull(),
    reason: text('reason').notNull(),
    /** A payload: as it came. A reading: its value, as UTF-8 text unless it is Opaque. An event: as it would leave. */
    bytes: bytea('bytes').notNull(),
    /** Of a payload, when it said one. */
    contentFormat: integer('content_format'),
    receivedAt: timestamp('received_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    index('dead_letters_device').on(table.deviceId, table.id),
    index('dead_letters_tenant').on(table.tenantId, table.id),
    index('dead_letters_received').on(table.receivedAt),
    ...rowSecurity(table.tenantId),
  ],
);
