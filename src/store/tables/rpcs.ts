import { sql } from 'drizzle-orm';
import {
  bigint,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';

import { rowSecurity } from '../row-security.ts';
import { sameTenant } from '../same-tenant.ts';
import { devices } from './devices.ts';
import { tenants } from './tenants.ts';

const status = [
  'QUEUED',
  'SENT',
  'DELIVERED',
  'SUCCESSFUL',
  'TIMEOUT',
  'UNKNOWN',
  'EXPIRED',
  'FAILED',
  'CANCELLED',
  'DELETED',
] as const;

export const rpcs = pgTable(
  'rpcs',
  {
    id: uuid('id').primaryKey(),
    /** The order in which calls were recorded and in which those of a device are sent. */
    sequence: bigint('sequence', { mode: 'number' }).generatedAlwaysAsIdentity(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    deviceId: uuid('device_id').notNull(),
    method: text('method').notNull(),
    /** The parameters of the call, with secrets redacted. */
    params: json('params'),
    /** The operation for the device, including secrets; cleared when the call ends. */
    operation: json('operation'),
    mode: text('mode', { enum: ['ONE_WAY', 'TWO_WAY', 'PERSISTENT'] }).notNull(),
    status: text('status', { enum: status }).notNull(),
    attempts: integer('attempts').notNull(),
    timeoutMs: integer('timeout_ms').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
    sentAt: timestamp('sent_at', { withTimezone: true, precision: 3 }),
    completedAt: timestamp('completed_at', { withTimezone: true, precision: 3 }),
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }),
    /** How often the operation may reach the device; null in rows of earlier versions. */
    delivery: text('delivery', { enum: ['AT_LEAST_ONCE', 'AT_MOST_ONCE'] }),
    idempotencyKey: text('idempotency_key'),
    /** A keyed hash of the caller, the mutation and its arguments; null without a key, and in rows of earlier versions. */
    fingerprint: text('fingerprint'),
    result: json('result'),
    error: json('error'),
  },
  (table) => [
    uniqueIndex('rpcs_idempotency_key').on(table.tenantId, table.idempotencyKey),
    index('rpcs_of_device').on(table.deviceId, table.sequence),
    // A partial index: few calls are active compared with those that have ended.
    index('rpcs_active')
      .on(table.deviceId, table.sequence)
      .where(sql`${table.status} in ('QUEUED', 'SENT', 'DELIVERED')`),
    index('rpcs_tenant').on(table.tenantId),
    // The target of foreign keys that include the tenant.
    unique('rpcs_of_tenant').on(table.tenantId, table.id),
    sameTenant({ tenantId: table.tenantId, id: table.deviceId }, devices),
    ...rowSecurity(table.tenantId),
  ],
);

/** Every change of an RPC's status. The first is from null to QUEUED. */
export const rpcTransitions = pgTable(
  'rpc_transitions',
  {
    rpcId: uuid('rpc_id').notNull(),
    /** 0, 1, 2… per RPC, because two changes may have the same millisecond. */
    ordinal: integer('ordinal').notNull(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id, { onDelete: 'cascade' }),
    from: text('from_status', { enum: status }),
    to: text('to_status', { enum: status }).notNull(),
    at: timestamp('at', { withTimezone: true, precision: 3 }).notNull(),
    detail: text('detail'),
  },
  (table) => [
    primaryKey({ name: 'rpc_transitions_pkey', columns: [table.rpcId, table.ordinal] }),
    index('rpc_transitions_tenant').on(table.tenantId),
    sameTenant({ tenantId: table.tenantId, id: table.rpcId }, rpcs),
    ...rowSecurity(table.tenantId),
  ],
);
