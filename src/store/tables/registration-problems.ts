import { sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { sameTenant } from '../same-tenant.ts';
import { devices } from './devices.ts';
import { tenants } from './tenants.ts';

/** Refused Registers and Updates, and devices that displace each other. Equal problems are one row with a count. */
export const registrationProblems = pgTable(
  'registration_problems',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    /** Null: no device of the tenant has the endpoint name. */
    deviceId: uuid('device_id'),
    /** The endpoint name that the device sent. */
    endpoint: text('endpoint'),
    kind: text('kind', {
      enum: [
        'MALFORMED',
        'UNSUPPORTED',
        'ENDPOINT_MISMATCH',
        'UNKNOWN_ENDPOINT',
        'SECURITY_REQUIRED',
        'CREDENTIAL_ENDED',
        'LIMIT',
        'DISPLACED',
      ],
    }).notNull(),
    /** The code of the response: `4.03`. Null for DISPLACED. */
    code: text('code'),
    reason: text('reason').notNull(),
    address: text('address').notNull(),
    /** The IPv4 address or the /64 prefix: the limit of rows without a device counts by it. */
    network: text('network').notNull(),
    /** { kind, name }; null over NoSec. */
    security: jsonb('security'),
    /** The SHA-256 of what makes two problems equal: the endpoint name, the kind and the reason. */
    digest: text('digest').notNull(),
    count: integer('count').notNull(),
    firstAt: timestamp('first_at', { withTimezone: true, precision: 3 }).notNull(),
    lastAt: timestamp('last_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    unique('registration_problems_equal').on(table.tenantId, table.deviceId, table.digest).nullsNotDistinct(),
    index('registration_problems_by_time').on(table.tenantId, table.lastAt, table.id),
    index('registration_problems_of_device').on(table.deviceId, table.lastAt),
    index('registration_problems_of_nobody')
      .on(table.tenantId, table.network, table.lastAt)
      .where(sql`${table.deviceId} is null`),
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    ...rowSecurity(table.tenantId),
  ],
);
