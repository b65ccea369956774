import type { RpcMode, RpcStatus } from './rpc.ts';

/**
 * Where an RPC may go from where it is (design: events, RPC). Beyond the drawing there:
 * - queued → failed: the operation can't be sent as it is (no format carries it), so the device never sees it;
 * - delivered → timeout, delivered → queued: it was acknowledged, but the separate response never came;
 * - sent, delivered → expired: a persistent call's time ran out during its last attempt;
 * - any that runs → deleted: its device was deleted.
 */
const NEXT: Readonly<Record<RpcStatus, readonly RpcStatus[]>> = {
  QUEUED: ['SENT', 'TIMEOUT', 'EXPIRED', 'CANCELLED', 'FAILED', 'DELETED'],
  SENT: ['DELIVERED', 'SUCCESSFUL', 'TIMEOUT', 'EXPIRED', 'CANCELLED', 'QUEUED', 'DELETED'],
  DELIVERED: ['SUCCESSFUL', 'FAILED', 'TIMEOUT', 'EXPIRED', 'QUEUED', 'DELETED'],
  SUCCESSFUL: [],
  TIMEOUT: [],
  EXPIRED: [],
  FAILED: [],
  CANCELLED: [],
  DELETED: [],
};

export const ACTIVE_STATUSES: readonly RpcStatus[] = ['QUEUED', 'SENT', 'DELIVERED'];

/** `mode`: only a persistent call goes back to the queue, and only it expires. */
export function mayFollow(from: RpcStatus, to: RpcStatus, mode: RpcMode): boolean {
  if ((to === 'QUEUED' || to === 'EXPIRED') && mode !== 'PERSISTENT') return false;
  return NEXT[from].includes(to);
}

export function hasEnded(status: RpcStatus): boolean {
  return NEXT[status].length === 0;
}
