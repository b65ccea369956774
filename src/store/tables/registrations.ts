import { bigint, boolean, index, integer, json, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { sameTenant } from '../same-tenant.ts';
import { devices } from './devices.ts';
import { tenants } from './tenants.ts';

/** The current registration of each registered device. */
export const registrations = pgTable(
  'registrations',
  {
    deviceId: uuid('device_id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    /** The last segment of the registration's location, `rd/{id}`. */
    id: text('id').notNull(),
    lwm2mVersion: text('lwm2m_version', { enum: ['1.0', '1.1', '1.2'] }).notNull(),
    /** Seconds; 0 means infinite. */
    lifetime: bigint('lifetime', { mode: 'number' }).notNull(),
    binding: text('binding').notNull(),
    queueMode: boolean('queue_mode').notNull(),
    smsNumber: text('sms_number'),
    profileIds: text('profile_ids').array().notNull(),
    rootPath: text('root_path').notNull(),
    contentFormats: integer('content_formats').array().notNull(),
    /** [{ objectId, version, instanceIds }] */
    objects: json('objects').notNull(),
    /** The IDs in `objects`, for finding the devices with an object. */
    objectIds: integer('object_ids').array().notNull(),
    additional: json('additional').notNull(),
    peer: json('peer').notNull(),
    transport: text('transport', { enum: ['udp', 'dtls', 'tcp', 'tls'] }).notNull(),
    registeredAt: timestamp('registered_at', { withTimezone: true, precision: 3 }).notNull(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull(),
    /** The attributes that the device accepted in this registration, by path; null: none. */
    writtenAttributes: json('written_attributes'),
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    unique('registrations_id').on(table.id),
    index('registrations_tenant').on(table.tenantId),
    index('registrations_objects').using('gin', table.objectIds),
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    ...rowSecurity(table.tenantId),
  ],
);
