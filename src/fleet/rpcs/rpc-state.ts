import type { Rpc, RpcMode, RpcStatus } from './rpc.ts';

/**
 * Lists the statuses that may follow each status of an RPC. Some of them need a reason:
 * - QUEUED → FAILED: no content format can carry the operation, so the server does not send it;
 * - DELIVERED → UNKNOWN or QUEUED: the device acknowledged the request but did not send the separate response;
 * - SENT or DELIVERED → EXPIRED: a persistent call reached its `expiresAt` during its last attempt;
 * - QUEUED, SENT or DELIVERED → DELETED: the device was deleted.
 */
const NEXT: Readonly<Record<RpcStatus, readonly RpcStatus[]>> = {
  QUEUED: ['SENT', 'TIMEOUT', 'EXPIRED', 'CANCELLED', 'FAILED', 'DELETED'],
  SENT: ['DELIVERED', 'SUCCESSFUL', 'TIMEOUT', 'UNKNOWN', 'EXPIRED', 'CANCELLED', 'QUEUED', 'DELETED'],
  DELIVERED: ['SUCCESSFUL', 'FAILED', 'TIMEOUT', 'UNKNOWN', 'EXPIRED', 'QUEUED', 'DELETED'],
  SUCCESSFUL: [],
  TIMEOUT: [],
  UNKNOWN: [],
  EXPIRED: [],
  FAILED: [],
  CANCELLED: [],
  DELETED: [],
};

/** The statuses of an RPC that has not ended. */
export const ACTIVE_STATUSES: readonly RpcStatus[] = ['QUEUED', 'SENT', 'DELIVERED'];

/** Says whether `to` may follow `from`. Only a call of mode PERSISTENT may return to QUEUED, and only it may expire. */
export function mayFollow(from: RpcStatus, to: RpcStatus, mode: RpcMode): boolean {
  if ((to === 'QUEUED' || to === 'EXPIRED') && mode !== 'PERSISTENT') return false;
  return NEXT[from].includes(to);
}

/** Says whether the status is final: no other status follows it. */
export function hasEnded(status: RpcStatus): boolean {
  return NEXT[status].length === 0;
}

/**
 * A number that grows with every change of an RPC, so that two states of it can be ordered. After an attempt without a
 * response, a PERSISTENT RPC is QUEUED again; this state is later than the SENT of the same attempt.
 */
export function progressOf({ status, attempts }: Pick<Rpc, 'status' | 'attempts'>): number {
  if (hasEnded(status)) return Number.MAX_SAFE_INTEGER;
  return 3 * attempts + ['SENT', 'DELIVERED', 'QUEUED'].indexOf(status);
}
