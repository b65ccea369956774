import type { DeviceId, TenantId, Actor } from '../access/index.ts';
import type { PageRequest, Page } from '../common/index.ts';
import type { Delivery } from './delivery.ts';
import type { OperationInput } from '../operations/index.ts';

/** The events that the fleet publishes about RPCs. */
export interface RpcEvents {
  /** Published after a new status of an RPC was stored. The event's key is the device's key. */
  readonly rpcChanged: { readonly tenantId: TenantId; readonly rpc: Rpc };
}

/** The largest values of a call's options: `timeoutMs` in milliseconds, `idempotencyKey` in characters. */
export const RPC_LIMITS = { timeoutMs: 600_000, idempotencyKey: 255 } as const;

/** The options of a call. */
export interface RpcOptions {
  /** Default TWO_WAY. */
  readonly mode?: RpcMode | null;
  /** How long the call waits for the device's answer, in milliseconds: 1..600,000, default 30,000. */
  readonly timeoutMs?: number | null;
  /** When a PERSISTENT call that still waits expires: at most 366 days ahead, default 7 days. Other modes refuse it. */
  readonly expiresAt?: Date | null;
  /** Default: by the kind of operation, see `defaultDelivery`. */
  readonly delivery?: Delivery | null;
  /** A call that repeats the key of an earlier call returns the earlier call's RPC. 1..255 characters. */
  readonly idempotencyKey?: string | null;
}

/** Calls devices and lists the calls of a tenant. */
export interface Rpcs {
  /** Resolves with the RPCs in the order of `ids`; null for an id that the tenant does not have. */
  many(actor: Actor, ids: readonly string[]): Promise<(Rpc | null)[]>;
  /** Lists the RPCs of a device, newest first; with `status`, those in one of these statuses. */
  page(actor: Actor, deviceId: DeviceId, request: PageRequest, status?: readonly RpcStatus[]): Promise<Page<Rpc>>;
  /** Lists the status changes of each RPC, oldest first. */
  transitions(actor: Actor, rpcIds: readonly string[]): Promise<Map<string, RpcTransition[]>>;
  /**
   * Calls a method of the device: `reboot`, or one of its profile. Records the call as QUEUED and dispatches it. A
   * TWO_WAY call resolves when the RPC has ended, with the device's answer. A ONE_WAY or PERSISTENT call resolves once
   * it is recorded.
   */
  call(actor: Actor, deviceId: string, method: string, params: unknown, options?: RpcOptions): Promise<Rpc>;
  /** Performs an LwM2M operation on the device, in the same way as `call`. */
  perform(actor: Actor, deviceId: string, operation: OperationInput, options?: RpcOptions): Promise<Rpc>;
  /** Cancels a call that the device has not received. Rejects with CONFLICT when it has, or when the call has ended. */
  cancel(actor: Actor, id: string): Promise<Rpc>;
  /** Answers TWO_WAY calls with their present state, the waiting and all later ones: the server is about to stop. */
  endWaits(): void;
}

/**
 * Delivery mode of a call:
 * - ONE_WAY: the call is SUCCESSFUL once the server has sent it; the device's answer is not awaited.
 * - TWO_WAY: the call ends with the device's answer, or as TIMEOUT after `timeoutMs`.
 * - PERSISTENT: the call waits in the database until the device can be asked, and is tried again until `expiresAt`.
 */
export type RpcMode = 'ONE_WAY' | 'TWO_WAY' | 'PERSISTENT';
/**
 * Status of a call:
 * - QUEUED: it is recorded and not sent.
 * - SENT: the server has sent the request.
 * - DELIVERED: the device has acknowledged or answered the request.
 * - SUCCESSFUL: the device did what it was asked; in ONE_WAY, the request was sent.
 * - TIMEOUT: the device was not registered, or did not answer in `timeoutMs`.
 * - UNKNOWN: the device acknowledged the request and did not answer it, or an AT_MOST_ONCE call was sent and not
 *   answered: it may have been done.
 * - EXPIRED: a PERSISTENT call reached `expiresAt` before the device answered.
 * - FAILED: the device refused the request, or the request can't be sent.
 * - CANCELLED: a user cancelled the call.
 * - DELETED: the device was deleted.
 */
export type RpcStatus =
  | 'QUEUED'
  | 'SENT'
  | 'DELIVERED'
  | 'SUCCESSFUL'
  | 'TIMEOUT'
  | 'UNKNOWN'
  | 'EXPIRED'
  | 'FAILED'
  | 'CANCELLED'
  | 'DELETED';

/** Why a call did not succeed, for programs; the schema describes each. */
export type RpcErrorCode =
  | 'DEVICE_ERROR'
  | 'DEVICE_UNREACHABLE'
  | 'UNREACHABLE'
  | 'TIMEOUT'
  | 'UNKNOWN'
  | 'EXPIRED'
  | 'CANCELLED'
  | 'BAD_ANSWER'
  | 'INVALID_PAYLOAD'
  | 'INVALID_ARGUMENT'
  | 'INVALID_PATH'
  | 'INVALID_VALUE'
  | 'UNSUPPORTED_FORMAT'
  | 'LIMIT'
  | 'INTERNAL';

/** Why a call did not succeed. */
export interface RpcError {
  readonly code: RpcErrorCode;
  /** The CoAP code of the device's answer: `4.04`. Null when the device did not answer. */
  readonly coapCode: string | null;
  readonly message: string;
}

/** One change of a call's status; `from` is null when the call was recorded. */
export interface RpcTransition {
  readonly from: RpcStatus | null;
  readonly to: RpcStatus;
  readonly at: Date;
  readonly detail: string | null;
}

/** One call of a device: what was asked, by whom and when, and what the device answered. */
export interface Rpc {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** The method `reboot`, a method of the profile, or an operation: `read`, `write`, `execute`, `observe`… */
  readonly method: string;
  /** The parameters of the call, without their secrets. */
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
  /** Null for calls that an earlier version recorded. */
  readonly delivery: Delivery | null;
  /**
   * What the device answered: `{ code, contentFormat, values: [{path, type, value, time}], links, createdInstanceId }`.
   */
  readonly result: unknown;
  readonly error: RpcError | null;
}
