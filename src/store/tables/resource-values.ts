import { boolean, index, integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { sameTenant } from '../same-tenant.ts';
import { devices } from './devices.ts';
import { tenants } from './tenants.ts';

/** The last known value of each resource and resource instance. */
export const resourceValues = pgTable(
  'resource_values',
  {
    deviceId: uuid('device_id').notNull(),
    objectId: integer('object_id').notNull(),
    instanceId: integer('instance_id').notNull(),
    resourceId: integer('resource_id').notNull(),
    /** -1 for the value of a single-instance resource, or for a multiple-instance resource without instances. */
    resourceInstanceId: integer('resource_instance_id').notNull(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    /** Null: the resource exists, but its type is unknown. */
    type: text('type'),
    /** True when the type comes from the payload's format, because no definition has it. */
    guessed: boolean('guessed').notNull(),
    /**
     * JSON as text, because jsonb rejects the NUL that a String may contain. Null: the resource exists, but its value
     * is unknown.
     */
    value: text('value'),
    measuredAt: timestamp('measured_at', { withTimezone: true, precision: 3 }).notNull(),
    /** DISCOVER: the device has the resource, but no value of it came; measured_at is before 1970. */
    source: text('source', { enum: ['READ', 'NOTIFICATION', 'SEND', 'WRITE', 'DISCOVER'] }).notNull(),
  },
  (table) => [
    primaryKey({
      name: 'resource_values_pkey',
      columns: [table.deviceId, table.objectId, table.instanceId, table.resourceId, table.resourceInstanceId],
    }),
    index('resource_values_tenant').on(table.tenantId),
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    ...rowSecurity(table.tenantId),
  ],
);
