import { integer, pgTable, text } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { tenants } from './tenants.ts';

/**
 * The most that any one device of a tenant had so far, for the cost of queries. A number never falls, so a query needs
 * no count. A tenant whose devices have registered nothing and have no values has no row.
 */
export const largestTrees = pgTable(
  'largest_trees',
  {
    tenantId: text('tenant_id')
      .primaryKey()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    /** Objects, object instances and resources with a stored value. */
    objects: integer('objects').notNull().default(0),
    instances: integer('instances').notNull().default(0),
    resources: integer('resources').notNull().default(0),
    registeredObjects: integer('registered_objects').notNull().default(0),
    registeredInstances: integer('registered_instances').notNull().default(0),
  },
  (table) => rowSecurity(table.tenantId),
);
