import { boolean, index, integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { devices } from './devices.ts';
import { tenants } from './tenants.ts';

/** The last known value of each resource and resource instance. */
export const resourceValues = pgTable(
  'resource_values',
  {
    deviceId: uuid('device_id')
      .notNull()
      .references(() => devices.id, { onDelete: 'cascade' }),
    objectId: integer('object_id').notNull(),
    instanceId: integer('instance_id').notNull(),
    resourceId: integer('resource_id').notNull(),
    /** -1: the value of a single resource, or a multiple one that has no instances. */
    resourceInstanceId: integer('resource_instance_id').notNull(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    /** Null: known to be there, of unknown type. */
    type: text('type'),
    /** No definition gave the type: the payload's format did. */
    guessed: boolean('guessed').notNull(),
    /** JSON as text, since jsonb refuses the NUL that a device's String may hold; null: known to be there without a value. */
    value: text('value'),
    measuredAt: timestamp('measured_at', { withTimezone: true, precision: 3 }).notNull(),
    source: text('source', { enum: ['READ', 'NOTIFICATION', 'SEND', 'WRITE'] }).notNull(),
  },
  (table) => [
    primaryKey({
      name: 'resource_values_pkey',
      columns: [table.deviceId, table.objectId, table.instanceId, table.resourceId, table.resourceInstanceId],
    }),
    index('resource_values_tenant').on(table.tenantId),
    ...rowSecurity(table.tenantId),
  ],
);
