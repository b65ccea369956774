import { sql } from 'drizzle-orm';
import { customType, index, pgTable, text, timestamp, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { sameTenant } from '../same-tenant.ts';
import { devices } from './devices.ts';
import { tenants } from './tenants.ts';

const bytea = customType<{ data: Uint8Array; driverData: Buffer }>({ dataType: () => 'bytea' });

/** The credentials of devices. A revoked one is kept, because the audit log refers to it. */
export const credentials = pgTable(
  'credentials',
  {
    id: uuid('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    deviceId: uuid('device_id').notNull(),
    kind: text('kind', { enum: ['psk', 'rpk', 'x509'] }).notNull(),
    /** The server that accepts it: the LwM2M server or the bootstrap server. */
    purpose: text('purpose', { enum: ['lwm2m', 'bootstrap'] })
      .notNull()
      .default('lwm2m'),
    /** PSK: the identity; RPK: the SHA-256 of the public key in hex; X.509: the subject's common name. */
    identity: text('identity').notNull(),
    /** PSK: the key, sealed. */
    sealedKey: bytea('sealed_key'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
    /** The credential is invalid from this time: the end of a rotation's overlap. */
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }),
    revokedAt: timestamp('revoked_at', { withTimezone: true, precision: 3 }),
    /** The bootstrap that created the credential. */
    bootstrapId: uuid('bootstrap_id'),
    /** When the device first registered with a credential that a bootstrap created; that ended the older ones. */
    usedAt: timestamp('used_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    // The look-up of a PSK identity or a public key precedes the tenant, so it is unique in the installation. The
    // subject of a certificate is unique in its tenant, whose trust anchors verify it.
    uniqueIndex('credentials_identity')
      .on(table.purpose, table.kind, table.identity)
      .where(sql`revoked_at is null and kind <> 'x509'`),
    uniqueIndex('credentials_subject')
      .on(table.tenantId, table.purpose, table.identity)
      .where(sql`revoked_at is null and kind = 'x509'`),
    // The target of foreign keys that include the tenant.
    unique('credentials_of_tenant').on(table.tenantId, table.id),
    // Includes revoked credentials: the handshake log says why one was refused.
    index('credentials_claims').on(table.kind, table.identity),
    index('credentials_device').on(table.deviceId),
    index('credentials_tenant').on(table.tenantId),
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    ...rowSecurity(table.tenantId),
  ],
);

/** The certificate authorities that a tenant accepts for its devices. */
export const trustAnchors = pgTable(
  'trust_anchors',
  {
    id: uuid('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    /** DER */
    certificate: bytea('certificate').notNull(),
    subject: text('subject').notNull(),
    /** The SHA-256 of the DER, in hex. */
    fingerprint: text('fingerprint').notNull(),
    notAfter: timestamp('not_after', { withTimezone: true, precision: 3 }).notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    uniqueIndex('trust_anchors_fingerprint').on(table.tenantId, table.fingerprint),
    ...rowSecurity(table.tenantId),
  ],
);

/** Certificates that are revoked, whatever their validity period is. */
export const revokedCertificates = pgTable(
  'revoked_certificates',
  {
    id: uuid('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    /** The SHA-256 of the DER, in hex. */
    fingerprint: text('fingerprint').notNull(),
    reason: text('reason').notNull(),
    revokedAt: timestamp('revoked_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    uniqueIndex('revoked_certificates_fingerprint').on(table.tenantId, table.fingerprint),
    ...rowSecurity(table.tenantId),
  ],
);
