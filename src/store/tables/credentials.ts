import { sql } from 'drizzle-orm';
import { customType, index, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { devices } from './devices.ts';
import { tenants } from './tenants.ts';

const bytea = customType<{ data: Uint8Array; driverData: Buffer }>({ dataType: () => 'bytea' });

/** What devices prove themselves with. A revoked one stays: audit names it. */
export const credentials = pgTable(
  'credentials',
  {
    id: uuid('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    deviceId: uuid('device_id')
      .notNull()
      .references(() => devices.id, { onDelete: 'cascade' }),
    kind: text('kind', { enum: ['psk', 'rpk', 'x509'] }).notNull(),
    /** What it opens: the LwM2M server or the bootstrap server. */
    purpose: text('purpose', { enum: ['lwm2m', 'bootstrap'] })
      .notNull()
      .default('lwm2m'),
    /** PSK: the identity; RPK: the SHA-256 of the public key in hex; X.509: the subject's common name. */
    identity: text('identity').notNull(),
    /** PSK: the key, sealed. */
    sealedKey: bytea('sealed_key'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
    /** From then on it no longer counts: the end of a rotation's overlap. */
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }),
    revokedAt: timestamp('revoked_at', { withTimezone: true, precision: 3 }),
    /** The bootstrap that made it. */
    bootstrapId: uuid('bootstrap_id'),
    /** Of one that a bootstrap made: when the device first registered with it, which ended those before. */
    usedAt: timestamp('used_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    // A PSK identity or a public key comes before the tenant is known, so it is one installation-wide; a certificate's
    // name counts below its tenant's anchors.
    uniqueIndex('credentials_identity')
      .on(table.purpose, table.kind, table.identity)
      .where(sql`revoked_at is null and kind <> 'x509'`),
    uniqueIndex('credentials_subject')
      .on(table.tenantId, table.purpose, table.identity)
      .where(sql`revoked_at is null and kind = 'x509'`),
    // Revoked ones too: the handshake log says why a claim no longer counts.
    index('credentials_claims').on(table.kind, table.identity),
    index('credentials_device').on(table.deviceId),
    index('credentials_tenant').on(table.tenantId),
    ...rowSecurity(table.tenantId),
  ],
);

/** The certificate authorities that a tenant's devices may be certified by. */
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
    /** SHA-256 of the DER, hex. */
    fingerprint: text('fingerprint').notNull(),
    notAfter: timestamp('not_after', { withTimezone: true, precision: 3 }).notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    uniqueIndex('trust_anchors_fingerprint').on(table.tenantId, table.fingerprint),
    ...rowSecurity(table.tenantId),
  ],
);

/** Certificates that no longer count, whatever their dates say. */
export const revokedCertificates = pgTable(
  'revoked_certificates',
  {
    id: uuid('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    /** SHA-256 of the DER, hex. */
    fingerprint: text('fingerprint').notNull(),
    reason: text('reason').notNull(),
    revokedAt: timestamp('revoked_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [
    uniqueIndex('revoked_certificates_fingerprint').on(table.tenantId, table.fingerprint),
    ...rowSecurity(table.tenantId),
  ],
);
