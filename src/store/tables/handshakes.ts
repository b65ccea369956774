import { bigint, boolean, index, integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { sameTenant } from '../same-tenant.ts';
import { credentials } from './credentials.ts';
import { devices } from './devices.ts';

/** The last DTLS handshakes of each device. */
export const handshakes = pgTable(
  'handshakes',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    tenantId: text('tenant_id').notNull(),
    deviceId: uuid('device_id').notNull(),
    /** The credential that the device presented. */
    credentialId: uuid('credential_id').notNull(),
    at: timestamp('at', { withTimezone: true, precision: 3 }).notNull(),
    durationMs: integer('duration_ms').notNull(),
    address: text('address').notNull(),
    suite: text('suite'),
    resumed: boolean('resumed').notNull(),
    established: boolean('established').notNull(),
    alert: text('alert'),
    reason: text('reason'),
  },
  (table) => [
    index('handshakes_device').on(table.deviceId, table.id),
    index('handshakes_credential').on(table.credentialId),
    index('handshakes_tenant').on(table.tenantId),
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    sameTenant({ tenantId: table.tenantId, id: table.credentialId }, credentials),
    ...rowSecurity(table.tenantId),
  ],
);
