import type { rpcs, rpcTransitions } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import type { Rpc, RpcError, RpcTransition } from './rpc.ts';

export type RpcRow = typeof rpcs.$inferSelect;

/** As a caller sees it: without what goes to the device. The casts read back what was written from those types. */
export function rpcOfRow(row: RpcRow): Rpc {
  const { operation: _operation, sequence: _sequence, ...rest } = row;
  return {
    ...rest,
    tenantId: row.tenantId as TenantId,
    deviceId: row.deviceId as DeviceId,
    error: row.error as RpcError | null,
  };
}

export function transitionOfRow(row: typeof rpcTransitions.$inferSelect): RpcTransition {
  return { from: row.from, to: row.to, at: row.at, detail: row.detail };
}
