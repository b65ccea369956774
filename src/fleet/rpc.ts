import type { DeviceId, TenantId } from './access.ts';

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
