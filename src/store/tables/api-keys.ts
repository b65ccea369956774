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
    /** SHA-256 of the token in hex: the token itself is shown once and kept nowhere. */
    tokenHash: text('token_hash').notNull().unique('api_keys_token_hash'),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
    /** A revoked key stays: audit names it. */
    revokedAt: timestamp('revoked_at', { withTimezone: true }),
  },
  (table) => [index('api_keys_tenant').on(table.tenantId), ...rowSecurity(table.tenantId)],
);
