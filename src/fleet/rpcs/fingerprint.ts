import type { Actor, DeviceId } from '../access/index.ts';
import { Seal } from '../credentials/index.ts';
import type { RpcRow } from './rpc-row.ts';
import type { RpcOptions } from './rpc.ts';

/** A call as its idempotency key identifies it. `by` tells `callRpc` from the mutation of one operation. */
export interface FingerprintedCall {
  readonly by: 'call' | 'perform';
  readonly method: string;
  readonly params: unknown;
}

/**
 * Identifies a call for its idempotency key: the caller, the mutation and all arguments. The arguments may hold weak
 * secrets, so that the fingerprint depends on the secret key of the installation: a reader of the database can't check
 * a guess.
 */
export function fingerprintOf(
  seal: Seal,
  actor: Actor,
  deviceId: DeviceId,
  { by, method, params }: FingerprintedCall,
  { mode, timeoutMs, expiresAt, delivery }: RpcOptions,
): string {
  const { tenantId, subject } = actor;
  const options = [mode ?? 'TWO_WAY', timeoutMs ?? null, expiresAt ?? null, delivery ?? null];
  return seal.fingerprint(textOf([tenantId, subject, deviceId, by, method, params ?? null, ...options]));
}

/**
 * Says whether a repeated idempotency key belongs to the same call as the stored `first`. A fingerprint of another secret
 * key, and the missing one of an earlier version, can't be compared; then what the row shows of the call decides.
 */
export function isSameCall(first: RpcRow, repeated: Omit<RpcRow, 'sequence'>): boolean {
  if (Seal.comparable(first.fingerprint, repeated.fingerprint)) return first.fingerprint === repeated.fingerprint;
  return shownOf(first) === shownOf(repeated);
}

function shownOf({ createdBy, deviceId, method, mode, timeoutMs, params }: Omit<RpcRow, 'sequence'>): string {
  return textOf([createdBy, deviceId, method, mode, timeoutMs, params]);
}

/** Equal values have equal texts, whatever the order of their members; members without a value are left out. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    const given = Object.entries(member).filter(([, each]) => each !== undefined && each !== null);
    return Object.fromEntries(given.toSorted(([left], [right]) => (left < right ? -1 : 1)));
  });
}
