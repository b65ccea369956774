import { boolean, index, integer, json, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { sameTenant } from '../same-tenant.ts';
import { devices } from './devices.ts';
import { tenants } from './tenants.ts';

/** The active observations of devices. Each ends with the registration of its device. */
export const observations = pgTable(
  'observations',
  {
    deviceId: uuid('device_id').notNull(),
    /** The token of the Observe request, in hex. */
    token: text('token').notNull(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    registrationId: text('registration_id').notNull(),
    paths: json('paths').$type<readonly string[]>().notNull(),
    composite: boolean('composite').notNull(),
    contentFormat: integer('content_format'),
    /** The attributes of the Observe request; null: none. */
    attributes: json('attributes'),
    startedAt: timestamp('started_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    primaryKey({ name: 'observations_pkey', columns: [table.deviceId, table.token] }),
    index('observations_tenant').on(table.tenantId),
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    ...rowSecurity(table.tenantId),
  ],
);

/** Observations requested by users. They start again at every registration until they are cancelled. */
export const observationRequests = pgTable(
  'observation_requests',
  {
    deviceId: uuid('device_id').notNull(),
    /** The sorted paths, joined by a blank. */
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
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    ...rowSecurity(table.tenantId),
  ],
);
