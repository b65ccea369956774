import { sql } from 'drizzle-orm';
import {
  boolean,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { tenants } from './tenants.ts';

export const profiles = pgTable(
  'profiles',
  {
    id: uuid('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    /** True for the profile of devices that are added without one. */
    isDefault: boolean('is_default').notNull(),
    mappings: json('mappings').notNull(),
    methods: json('methods').notNull(),
    /** Seconds. */
    offlineAfter: integer('offline_after'),
    /** Seconds in which a sleeping device sends a message; null: its lifetime. */
    expectedInterval: integer('expected_interval'),
    /** Seconds that a queue-mode device stays awake after its last message; null: MAX_TRANSMIT_WAIT. */
    awakeTime: integer('awake_time'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull(),
    /** The time of the last change of each field that was changed: `{"name": "2026-05-29T14:30:00.000Z"}`. */
    fieldTimes: jsonb('field_times').notNull().default({}),
  },
  (table) => [
    // The target of foreign keys that include the tenant.
    unique('profiles_of_tenant').on(table.tenantId, table.id),
    unique('profiles_tenant_name').on(table.tenantId, table.name),
    uniqueIndex('profiles_one_default')
      .on(table.tenantId)
      .where(sql`${table.isDefault}`),
    index('profiles_page').on(table.tenantId, table.createdAt, table.id),
    ...rowSecurity(table.tenantId),
  ],
);
