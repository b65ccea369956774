import { and, asc, eq, inArray, isNotNull, min, notInArray, sql } from 'drizzle-orm';
import type { EventBus } from '../../events/index.ts';
import { rpcs, rpcTransitions, type Store, type Transaction } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import { Batcher, FleetError } from '../common/index.ts';
import { deviceKey, type DeviceKey } from '../devices/index.ts';
import type { OperationInput } from '../operations/index.ts';
import { isSameCall } from './fingerprint.ts';
import { rpcOfRow, type RpcRow } from './rpc-row.ts';
import { defaultDelivery, type Delivery } from './delivery.ts';
import { ACTIVE_STATUSES, hasEnded, mayFollow } from './rpc-state.ts';
import type { RpcEvents, Rpc, RpcError, RpcStatus } from './rpc.ts';

/** An RPC that has not ended, with the operation to send to the device. */
export interface ActiveRpc {
  readonly rpc: Rpc;
  readonly operation: OperationInput;
  readonly delivery: Delivery;
}

/** A new status of an RPC and what is stored with it. */
export interface StatusChange {
  readonly to: RpcStatus;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly detail?: string;
  readonly result?: unknown;
  readonly error?: RpcError;
}

type Entry =
  | { readonly kind: 'record'; readonly row: Omit<RpcRow, 'sequence'> }
  | { readonly kind: 'change'; readonly tenantId: TenantId; readonly id: string; readonly change: StatusChange };

/**
 * What became of an entry. A refused one is a result, not an error: an error would make the other entries of the batch
 * fail with it.
 */
type Stored = { readonly rpc: Rpc; readonly fresh: boolean } | { readonly refused: string };

/** The most calls that may wait for one device; a further call is refused. */
const LONGEST_QUEUE = 1_000;

/**
 * Stores RPCs and every change of their status, and publishes each change after its commit. The journal keeps the order
 * of one tenant's changes, and stores changes that arrive together in one transaction.
 */
export class RpcJournal {
  readonly #store: Store;
  readonly #bus: EventBus<RpcEvents>;
  readonly #batcher: Batcher<Entry, Stored | null>;

  constructor(store: Store, bus: EventBus<RpcEvents>) {
    this.#store = store;
    this.#bus = bus;
    this.#batcher = new Batcher({
      lane: (entry) => (entry.kind === 'record' ? entry.row.tenantId : entry.tenantId),
      largestBatch: 64,
      run: (tenantId, entries) => this.#storeAll(tenantId, entries),
    });
  }

  /** Stores a new RPC and resolves with it; or with the earlier RPC of the same idempotency key, and `fresh` false. */
  async record(row: Omit<RpcRow, 'sequence'>): Promise<{ rpc: Rpc; fresh: boolean }> {
    const recorded = await this.#batcher.add({ kind: 'record', row });
    if (recorded !== null && 'refused' in recorded) throw new FleetError('CONFLICT', recorded.refused);
    if (recorded === null) throw new FleetError('NOT_FOUND', 'no such device');
    return recorded;
  }

  /**
   * Stores the change and resolves with the changed RPC; null when its status rules the change out, or it was deleted.
   */
  async change(tenantId: TenantId, id: string, change: StatusChange): Promise<Rpc | null> {
    const stored = await this.#batcher.add({ kind: 'change', tenantId, id, change });
    return stored !== null && 'rpc' in stored ? stored.rpc : null;
  }

  /** Resolves with the call that has waited longest for the device, apart from the calls in `onTheirWay`. */
  async firstQueued(tenantId: TenantId, deviceId: DeviceId, onTheirWay: readonly string[]): Promise<ActiveRpc | null> {
    const rows = await this.#store.asTenant(tenantId, (tx) =>
      tx
        .select()
        .from(rpcs)
        .where(and(eq(rpcs.deviceId, deviceId), eq(rpcs.status, 'QUEUED'), notInArray(rpcs.id, [...onTheirWay])))
        .orderBy(asc(rpcs.sequence))
        .limit(1),
    );
    return rows[0] ? activeOfRow(rows[0]) : null;
  }

  /** Lists the RPCs of a device that have not ended, oldest first. */
  async active(tenantId: TenantId, deviceId: DeviceId): Promise<Rpc[]> {
    const rows = await this.#store.asTenant(tenantId, (tx) =>
      tx
        .select()
        .from(rpcs)
        .where(and(eq(rpcs.deviceId, deviceId), inArray(rpcs.status, [...ACTIVE_STATUSES])))
        .orderBy(asc(rpcs.sequence)),
    );
    return rows.map(rpcOfRow);
  }

  /** Lists the RPCs of all tenants that have not ended, oldest first. */
  async unfinished(): Promise<ActiveRpc[]> {
    const rows = await this.#store.asSystem((tx) =>
      tx
        .select()
        .from(rpcs)
        .where(inArray(rpcs.status, [...ACTIVE_STATUSES]))
        .orderBy(asc(rpcs.sequence)),
    );
    return rows.map(activeOfRow);
  }

  /** Lists waiting persistent calls that have expired, at most 1,000, and says when the next one will expire. */
  async overdue(now: number): Promise<{ due: Rpc[]; next: number | null }> {
    const waiting = and(eq(rpcs.status, 'QUEUED'), isNotNull(rpcs.expiresAt));
    const at = new Date(now);
    return this.#store.asSystem(async (tx) => {
      const due = await tx
        .select()
        .from(rpcs)
        .where(and(waiting, sql`${rpcs.expiresAt} <= ${at.toISOString()}::timestamptz`))
        .orderBy(asc(rpcs.sequence))
        .limit(1_000);
      const later = await tx
        .select({ at: min(rpcs.expiresAt) })
        .from(rpcs)
        .where(and(waiting, sql`${rpcs.expiresAt} > ${at.toISOString()}::timestamptz`));
      return { due: due.map(rpcOfRow), next: later[0]?.at?.getTime() ?? null };
    });
  }

  /** Resolves when every change so far is stored. */
  idle(): Promise<void> {
    return this.#batcher.idle();
  }

  async #storeAll(tenantId: string, entries: readonly Entry[]): Promise<(Stored | null)[]> {
    const stored = await this.#store.asTenant(tenantId, async (tx) => {
      const results: (Stored | null)[] = [];
      for (const entry of entries) {
        if (entry.kind === 'record') results.push(await insert(tx, entry.row));
        else results.push(fresh(await advance(tx, entry.id, entry.change)));
      }
      return results;
    });
    for (const result of stored) {
      if (result === null || 'refused' in result || !result.fresh) continue;
      const { rpc } = result;
      const key: DeviceKey = deviceKey(rpc.tenantId, rpc.deviceId);
      this.#bus.publish('rpcChanged', key, { tenantId: rpc.tenantId, rpc });
    }
    return stored;
  }
}

/** The cast is safe: `operation` was stored from an OperationInput. */
function activeOfRow(row: RpcRow): ActiveRpc {
  const operation = row.operation as OperationInput;
  return { rpc: rpcOfRow(row), operation, delivery: row.delivery ?? defaultDelivery(operation) };
}

function fresh(rpc: Rpc | null): { rpc: Rpc; fresh: boolean } | null {
  return rpc && { rpc, fresh: true };
}

async function insert(tx: Transaction, row: Omit<RpcRow, 'sequence'>): Promise<Stored> {
  const earlier = await withKey(tx, row);
  if (earlier) return earlier;
  const { rows: waiting } = await tx.execute<{ count: string }>(
    sql`select count(*) from rpcs where device_id = ${row.deviceId} and status = 'QUEUED'`,
  );
  if (Number(waiting[0]?.count ?? 0) >= LONGEST_QUEUE) {
    return { refused: `${LONGEST_QUEUE} calls already wait for this device, the limit` };
  }
  const inserted = await tx
    .insert(rpcs)
    .values(row)
    .onConflictDoNothing({ target: [rpcs.tenantId, rpcs.idempotencyKey] })
    .returning();
  if (inserted[0]) {
    await tx.insert(rpcTransitions).values({
      rpcId: row.id,
      ordinal: 0,
      tenantId: row.tenantId,
      from: null,
      to: row.status,
      at: row.createdAt,
      detail: null,
    });
    return { rpc: rpcOfRow(inserted[0]), fresh: true };
  }
  return (await withKey(tx, row)) ?? { refused: 'the call could not be recorded' };
}

/**
 * Finds the earlier call of the idempotency key. The key belongs to one call: another caller, mutation or argument is
 * refused (IETF idempotency-key draft §2.7).
 */
async function withKey(tx: Transaction, row: Omit<RpcRow, 'sequence'>): Promise<Stored | null> {
  if (row.idempotencyKey === null) return null;
  const [first] = await tx.select().from(rpcs).where(eq(rpcs.idempotencyKey, row.idempotencyKey));
  if (!first) return null;
  if (isSameCall(first, row)) return { rpc: rpcOfRow(first), fresh: false };
  const key = JSON.stringify(row.idempotencyKey);
  return { refused: `the idempotency key ${key} belongs to another call: use a new key for each call` };
}

async function advance(tx: Transaction, id: string, change: StatusChange): Promise<Rpc | null> {
  const present = await tx.select().from(rpcs).where(eq(rpcs.id, id)).for('update');
  const row = present[0];
  if (!row || !mayFollow(row.status, change.to, row.mode)) return null;
  const at = new Date(change.at);
  const ended = hasEnded(change.to);
  const changed = await tx
    .update(rpcs)
    .set({
      status: change.to,
      attempts: change.to === 'SENT' ? row.attempts + 1 : row.attempts,
      sentAt: change.to === 'SENT' ? at : row.sentAt,
      completedAt: ended ? at : null,
      // An RPC that has ended is not sent again, so the operation and its secrets are erased.
      operation: ended ? null : row.operation,
      result: change.result ?? row.result,
      error: change.error ?? row.error,
    })
    .where(eq(rpcs.id, id))
    .returning();
  const count = sql`(select count(*) from rpc_transitions where rpc_id = ${id})`;
  await tx.insert(rpcTransitions).values({
    rpcId: id,
    ordinal: sql`${count}`,
    tenantId: row.tenantId,
    from: row.status,
    to: change.to,
    at,
    detail: change.detail ?? change.error?.message ?? null,
  });
  return changed[0] ? rpcOfRow(changed[0]) : null;
}
