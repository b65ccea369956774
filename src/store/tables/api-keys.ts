import { index, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { tenants } from './tenants.ts';

export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    role: text('role', { enum: ['viewer', 'operator', 'admin'] }).notNull(),
    /** The SHA-256 of the token in hex. The token itself is shown once and not stored. */
    tokenHash: text('token_hash').notNull().unique('api_keys_token_hash'),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
    /** A revoked key is kept, because the audit log refers to it. */
    revokedAt: timestamp('revoked_at', { withTimezone: true }),
  },
  (table) => [index('api_keys_tenant').on(table.tenantId), ...rowSecurity(table.tenantId)],
);
