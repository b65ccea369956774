import { bigint, integer, json, pgTable, text, timestamp, unique } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { tenants } from './tenants.ts';

/** Object definitions of tenants. They override those of the OMA registry. */
export const objectDefinitions = pgTable(
  'object_definitions',
  {
    /** New for every upload, so that other processes notice the change. */
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    objectId: integer('object_id').notNull(),
    /** major.minor */
    version: text('version').notNull(),
    /** An ObjectDefinition of src/lwm2m. */
    definition: json('definition').notNull(),
    /** The number of characters of the definition. */
    size: integer('size').notNull(),
    uploadedAt: timestamp('uploaded_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    unique('object_definitions_version').on(table.tenantId, table.objectId, table.version),
    ...rowSecurity(table.tenantId),
  ],
);
