import { describe, expect, it } from 'vitest';
import { ACTIVE_STATUSES, hasEnded, mayFollow } from '../../../src/fleet/rpcs/rpc-state.ts';
import type { RpcMode, RpcStatus } from '../../../src/fleet/rpcs/rpc.ts';

const ACTIVE: RpcStatus[] = ['QUEUED', 'SENT', 'DELIVERED'];
const STATUSES: RpcStatus[] = [...ACTIVE, 'SUCCESSFUL', 'TIMEOUT', 'EXPIRED', 'FAILED', 'CANCELLED', 'DELETED'];

describe('the state of an RPC', () => {
  it.each<[RpcStatus, RpcStatus, RpcMode]>([
    ['QUEUED', 'SENT', 'TWO_WAY'],
    ['SENT', 'DELIVERED', 'TWO_WAY'],
    ['DELIVERED', 'SUCCESSFUL', 'TWO_WAY'],
    ['SENT', 'SUCCESSFUL', 'ONE_WAY'],
    ['QUEUED', 'TIMEOUT', 'TWO_WAY'],
    ['SENT', 'TIMEOUT', 'TWO_WAY'],
    ['SENT', 'QUEUED', 'PERSISTENT'],
    ['DELIVERED', 'FAILED', 'TWO_WAY'],
    ['QUEUED', 'EXPIRED', 'PERSISTENT'],
    ['QUEUED', 'CANCELLED', 'TWO_WAY'],
    ['SENT', 'CANCELLED', 'TWO_WAY'],
  ])('goes from %s to %s (%s)', (from, to, mode) => {
    expect(mayFollow(from, to, mode)).toBe(true);
  });

  it.each<[RpcStatus, RpcStatus, RpcMode]>([
    ['QUEUED', 'SUCCESSFUL', 'TWO_WAY'],
    ['QUEUED', 'DELIVERED', 'TWO_WAY'],
    ['SENT', 'QUEUED', 'TWO_WAY'],
    ['QUEUED', 'EXPIRED', 'ONE_WAY'],
    ['DELIVERED', 'CANCELLED', 'PERSISTENT'],
    ['DELIVERED', 'SENT', 'PERSISTENT'],
  ])('never goes from %s to %s (%s)', (from, to, mode) => {
    expect(mayFollow(from, to, mode)).toBe(false);
  });

  it('stays where it ended', () => {
    for (const from of STATUSES.filter(hasEnded)) {
      for (const to of STATUSES) expect(mayFollow(from, to, 'PERSISTENT')).toBe(false);
    }
  });

  it('is active until it has ended', () => {
    expect(STATUSES.filter((status) => !hasEnded(status))).toEqual(ACTIVE);
    expect(ACTIVE_STATUSES).toEqual(ACTIVE);
  });
});
