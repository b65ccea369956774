import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { sameTenant } from '../same-tenant.ts';
import { devices } from './devices.ts';
import { profiles } from './profiles.ts';
import { tenants } from './tenants.ts';

const bytea = customType<{ data: Uint8Array; driverData: Buffer }>({ dataType: () => 'bytea' });

/** Every bootstrap request, including refused ones: the audit log of bootstraps. */
export const bootstraps = pgTable(
  'bootstraps',
  {
    id: uuid('id').primaryKey(),
    sequence: bigint('sequence', { mode: 'number' }).generatedAlwaysAsIdentity(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    /** Null: the bootstrap was refused, and the endpoint is not a device of the tenant. */
    deviceId: uuid('device_id'),
    endpoint: text('endpoint'),
    status: text('status', { enum: ['RUNNING', 'FINISHED', 'FAILED', 'REFUSED'] }).notNull(),
    reason: text('reason'),
    pack: boolean('pack').notNull(),
    address: text('address').notNull(),
    /** { kind, name }; null over NoSec. */
    security: jsonb('security'),
    /** The credential of the request: a device's credential or a factory credential. */
    credentialId: uuid('credential_id'),
    lwm2mVersion: text('lwm2m_version', { enum: ['1.0', '1.1', '1.2'] }),
    /** The steps in order, one object each, without values. */
    steps: jsonb('steps').notNull(),
    startedAt: timestamp('started_at', { withTimezone: true, precision: 3 }).notNull(),
    endedAt: timestamp('ended_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    index('bootstraps_of_device').on(table.deviceId, table.sequence),
    index('bootstraps_of_tenant').on(table.tenantId, table.sequence),
    index('bootstraps_running')
      .on(table.id)
      .where(sql`${table.status} = 'RUNNING'`),
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    ...rowSecurity(table.tenantId),
  ],
);

/** What a bootstrap writes to the devices of a profile, or to one device. */
export const bootstrapPlans = pgTable(
  'bootstrap_plans',
  {
    id: uuid('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    profileId: uuid('profile_id'),
    deviceId: uuid('device_id'),
    /** Sealed JSON, because it may contain keys. */
    sealedPlan: bytea('sealed_plan').notNull(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    uniqueIndex('bootstrap_plans_profile').on(table.profileId),
    uniqueIndex('bootstrap_plans_device').on(table.deviceId),
    index('bootstrap_plans_tenant').on(table.tenantId),
    check('bootstrap_plans_one_owner', sql`num_nonnulls(${table.profileId}, ${table.deviceId}) = 1`),
    sameTenant({ tenantId: table.tenantId, id: table.profileId }, profiles),
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    ...rowSecurity(table.tenantId),
  ],
);

/** A PSK that many devices have from the factory. With it they bootstrap, and are added to the tenant. */
export const factoryCredentials = pgTable(
  'factory_credentials',
  {
    id: uuid('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    identity: text('identity').notNull(),
    sealedKey: bytea('sealed_key').notNull(),
    /** The endpoints that may use it: `urn:imei:35*`. */
    endpointPattern: text('endpoint_pattern').notNull(),
    profileId: uuid('profile_id').notNull(),
    /** The maximum number of devices that it may add. */
    mostDevices: integer('most_devices').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }).notNull(),
    revokedAt: timestamp('revoked_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    // The look-up by identity precedes the tenant, so an identity is unique in the installation.
    uniqueIndex('factory_credentials_identity')
      .on(table.identity)
      .where(sql`revoked_at is null`),
    index('factory_credentials_tenant').on(table.tenantId),
    index('factory_credentials_profile').on(table.profileId),
    sameTenant({ tenantId: table.tenantId, id: table.profileId }, profiles, 'no action'),
    ...rowSecurity(table.tenantId),
  ],
);
