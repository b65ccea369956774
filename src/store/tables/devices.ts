import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { sameTenant } from '../same-tenant.ts';
import { profiles } from './profiles.ts';
import { tenants } from './tenants.ts';

export const devices = pgTable(
  'devices',
  {
    id: uuid('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    endpoint: text('endpoint').notNull(),
    name: text('name'),
    tags: text('tags').array().notNull(),
    profileId: uuid('profile_id').notNull(),
    status: text('status', { enum: ['ONLINE', 'OFFLINE', 'SLEEPING', 'NEVER_SEEN'] }).notNull(),
    lastSeen: timestamp('last_seen', { withTimezone: true, precision: 3 }),
    /** Seconds; overrides the value of the profile. */
    awakeTime: integer('awake_time'),
    /** Seconds: the device was asleep this long after its last message. Null: not known. */
    measuredAwakeTime: integer('measured_awake_time'),
    awakeMeasuredAt: timestamp('awake_measured_at', { withTimezone: true, precision: 3 }),
    /** The factory credential that added the device; not a foreign key, because a revoked one is kept. */
    factoryCredentialId: uuid('factory_credential_id'),
    /** The network (IPv4 address or /64 prefix) from which an unknown endpoint was added by itself; else null. */
    addedFrom: text('added_from'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
    /** When a person last changed the device; `fieldTimes` has the time for each field that was changed. */
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull(),
    fieldTimes: jsonb('field_times').notNull().default({}),
  },
  (table) => [
    unique('devices_tenant_endpoint').on(table.tenantId, table.endpoint),
    // The target of foreign keys that include the tenant.
    unique('devices_of_tenant').on(table.tenantId, table.id),
    // One index for each sort order of a page. A missing name or time sorts first.
    index('devices_by_name').on(table.tenantId, sql`coalesce(${table.name}, '')`, table.id),
    index('devices_by_last_seen').on(
      table.tenantId,
      sql`coalesce(${table.lastSeen}, '-infinity'::timestamptz)`,
      table.id,
    ),
    index('devices_by_creation').on(table.tenantId, table.createdAt, table.id),
    index('devices_profile').on(table.profileId),
    index('devices_of_factory')
      .on(table.factoryCredentialId)
      .where(sql`${table.factoryCredentialId} is not null`),
    index('devices_added_from')
      .on(table.tenantId, table.addedFrom)
      .where(sql`${table.addedFrom} is not null`),
    index('devices_tags').using('gin', table.tags),
    sameTenant({ tenantId: table.tenantId, id: table.profileId }, profiles, 'no action'),
    ...rowSecurity(table.tenantId),
  ],
);
