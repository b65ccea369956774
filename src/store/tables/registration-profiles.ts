import { pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { tenants } from './tenants.ts';

/** The object list of each Profile ID (LwM2M 1.2): a device may register with the ID instead of the list. */
export const registrationProfiles = pgTable(
  'registration_profiles',
  {
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    /** As in the Register request: `6:1234abcd`. */
    profileId: text('profile_id').notNull(),
    /** Link format (RFC 6690). */
    links: text('links').notNull(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.profileId] }), ...rowSecurity(table.tenantId)],
);
