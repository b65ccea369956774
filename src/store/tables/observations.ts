import { boolean, index, integer, json, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { devices } from './devices.ts';
import { tenants } from './tenants.ts';

/** Observations that run on devices; each ends with its registration. */
export const observations = pgTable(
  'observations',
  {
    deviceId: uuid('device_id')
      .notNull()
      .references(() => devices.id, { onDelete: 'cascade' }),
    /** Of the request that started it, in hex. */
    token: text('token').notNull(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    registrationId: text('registration_id').notNull(),
    paths: json('paths').$type<readonly string[]>().notNull(),
    composite: boolean('composite').notNull(),
    contentFormat: integer('content_format'),
    /** What the Observe itself carried; null: none. */
    attributes: json('attributes'),
    startedAt: timestamp('started_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    primaryKey({ name: 'observations_pkey', columns: [table.deviceId, table.token] }),
    index('observations_tenant').on(table.tenantId),
    ...rowSecurity(table.tenantId),
  ],
);

/** Observations that somebody asked for: they are started anew with every registration until they are cancelled. */
export const observationRequests = pgTable(
  'observation_requests',
  {
    deviceId: uuid('device_id')
      .notNull()
      .references(() => devices.id, { onDelete: 'cascade' }),
    /** The paths in their order, joined by a blank. */
    key: text('key').notNull(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    paths: text('paths').array().notNull(),
    attributes: json('attributes'),
    contentFormat: integer('content_format'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    primaryKey({ name: 'observation_requests_pkey', columns: [table.deviceId, table.key] }),
    index('observation_requests_tenant').on(table.tenantId),
    ...rowSecurity(table.tenantId),
  ],
);
