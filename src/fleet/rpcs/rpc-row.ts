import type { rpcs, rpcTransitions } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import type { Rpc, RpcError, RpcTransition } from './rpc.ts';

/** A row of the table `rpcs`. */
export type RpcRow = typeof rpcs.$inferSelect;

/**
 * Makes the RPC that callers see from its row. It leaves out `operation`, which may hold secrets. The casts are safe:
 * the row was written from values of these types.
 */
export function rpcOfRow(row: RpcRow): Rpc {
  const { operation: _operation, sequence: _sequence, fingerprint: _fingerprint, ...rest } = row;
  return {
    ...rest,
    tenantId: row.tenantId as TenantId,
    deviceId: row.deviceId as DeviceId,
    error: row.error as RpcError | null,
  };
}

/** Makes the transition that callers see from its row. */
export function transitionOfRow(row: typeof rpcTransitions.$inferSelect): RpcTransition {
  return { from: row.from, to: row.to, at: row.at, detail: row.detail };
}
