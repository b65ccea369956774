import type { DeviceId, TenantId, Actor } from '../access/index.ts';
import type { PageRequest, Page } from '../common/index.ts';
import type { OperationInput } from '../operations/index.ts';

/** Events about RPCs. */
export interface RpcEvents {
  /** Key: the device's key. */
  readonly rpcChanged: { readonly tenantId: TenantId; readonly rpc: Rpc };
}

/** Largest values of a call's options: milliseconds, and characters. */
export const RPC_LIMITS = { timeoutMs: 600_000, idempotencyKey: 255 } as const;

export interface RpcOptions {
  readonly mode?: RpcMode | null;
  /** 1..600,000; default 30,000. */
  readonly timeoutMs?: number | null;
  /** PERSISTENT: until when it is kept; default 7 days. */
  readonly expiresAt?: Date | null;
  /** A repeated call with the same key returns the first call's RPC. At most 255 characters. */
  readonly idempotencyKey?: string | null;
}

export interface Rpcs {
  many(actor: Actor, ids: readonly string[]): Promise<(Rpc | null)[]>;
  page(actor: Actor, deviceId: DeviceId, request: PageRequest, status?: readonly RpcStatus[]): Promise<Page<Rpc>>;
  transitions(actor: Actor, rpcIds: readonly string[]): Promise<Map<string, RpcTransition[]>>;
  /**
   * Records the call (QUEUED) and hands it to the dispatcher. Resolves once it is recorded, for ONE_WAY and PERSISTENT;
   * a TWO_WAY call resolves when the RPC has ended, so that a mutation returns the device's answer.
   */
  call(actor: Actor, deviceId: string, method: string, params: unknown, options?: RpcOptions): Promise<Rpc>;
  /** As `call`, for an LwM2M operation; default mode TWO_WAY. */
  perform(actor: Actor, deviceId: string, operation: OperationInput, options?: RpcOptions): Promise<Rpc>;
  cancel(actor: Actor, id: string): Promise<Rpc>;
}

export type RpcMode = 'ONE_WAY' | 'TWO_WAY' | 'PERSISTENT';
export type RpcStatus =
  | 'QUEUED'
  | 'SENT'
  | 'DELIVERED'
  | 'SUCCESSFUL'
  | 'TIMEOUT'
  | 'EXPIRED'
  | 'FAILED'
  | 'CANCELLED'
  | 'DELETED';

export interface RpcError {
  /** For programs: DEVICE_ERROR, DEVICE_UNREACHABLE, TIMEOUT, BAD_ANSWER, EXPIRED… */
  readonly code: string;
  /** What the device answered: `4.04`. Null when it did not answer. */
  readonly coapCode: string | null;
  readonly message: string;
}

export interface RpcTransition {
  readonly from: RpcStatus | null;
  readonly to: RpcStatus;
  readonly at: Date;
  readonly detail: string | null;
}

/** One thing asked of a device: what, by whom, when, and what came back. */
export interface Rpc {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** `reboot`, a profile's method, or an operation: `read`, `write`, `execute`, `observe`… */
  readonly method: string;
  /** As asked, secrets redacted. */
  readonly params: unknown;
  readonly mode: RpcMode;
  readonly status: RpcStatus;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly sentAt: Date | null;
  readonly completedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly idempotencyKey: string | null;
  /** `{ code, contentFormat, values: [{path, type, value, time}], links, createdInstanceId }` */
  readonly result: unknown;
  readonly error: RpcError | null;
}
