import { bigint, customType, index, integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { sameTenant } from '../same-tenant.ts';
import { devices } from './devices.ts';

const bytea = customType<{ data: Uint8Array; driverData: Buffer }>({
  dataType: () => 'bytea',
  toDriver: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  fromDriver: (buffer) => new Uint8Array(buffer),
});

/** Data that could not be processed, and why: payloads and readings of a device, events that the broker rejects. */
export const deadLetters = pgTable(
  'dead_letters',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    tenantId: text('tenant_id').notNull(),
    deviceId: uuid('device_id').notNull(),
    /** A reading: its resource. A payload: the path of the operation. An event: its topic. */
    path: text('path').notNull(),
    kind: text('kind', { enum: ['payload', 'reading', 'event'] }).notNull(),
    reason: text('reason').notNull(),
    /**
     * A payload: the bytes received. A reading: its value, as UTF-8 text unless Opaque. An event: the bytes to send. Of
     * large bytes, only the first 4 KiB.
     */
    bytes: bytea('bytes').notNull(),
    /** The size of all bytes, if `bytes` contains only the first of them. Null: `bytes` contains all. */
    size: integer('size'),
    /** The SHA-256 hash of all bytes, if `bytes` contains only the first of them. */
    sha256: bytea('sha256'),
    /** The Content-Format of a payload, when it had one. */
    contentFormat: integer('content_format'),
    receivedAt: timestamp('received_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    index('dead_letters_device').on(table.deviceId, table.id),
    index('dead_letters_tenant').on(table.tenantId, table.id),
    index('dead_letters_received').on(table.receivedAt),
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    ...rowSecurity(table.tenantId),
  ],
);
