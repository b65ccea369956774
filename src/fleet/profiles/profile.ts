import type { NotificationAttributes } from '../../lwm2m/index.ts';
import type { TenantId } from '../access/index.ts';
import type { RpcMethod } from '../operations/index.ts';

/** The settable fields of a device profile. */
export interface ProfileInput {
  readonly name: string;
  readonly mappings?: readonly MetricMapping[];
  readonly methods?: readonly RpcMethod[];
  readonly offlineAfter?: number | null;
  /** Seconds, 1..31,622,400. */
  readonly expectedInterval?: number | null;
  /** Seconds, 1..86,400. */
  readonly awakeTime?: number | null;
}

/** Records the values of one resource as a metric. */
export interface MetricMapping {
  /** `/3303/0/5700`; `*` as the instance id selects every instance. */
  readonly path: string;
  /** The metric's name; `{instance}` stands for the instance id. */
  readonly metric: string;
  readonly scale?: number;
  readonly offset?: number;
  /** Absent: the type of the resource decides. */
  readonly kind?: 'numeric' | 'string';
  /** The notification attributes of the observation. */
  readonly attributes?: NotificationAttributes;
}

/** A device profile: the metrics, RPC methods and times that its devices share. */
export interface DeviceProfile {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly name: string;
  readonly isDefault: boolean;
  readonly mappings: readonly MetricMapping[];
  readonly methods: readonly RpcMethod[];
  /** A device goes offline with the reason `silent` after this many seconds without a message; null: never. */
  readonly offlineAfter: number | null;
  /**
   * A sleeping device sends a message at least every so many seconds; `offlineAfter` counts from then. Null, or longer
   * than the lifetime of its registration: the lifetime.
   */
  readonly expectedInterval: number | null;
  /** A queue-mode device stays awake for this many seconds after its last message; null: 93, MAX_TRANSMIT_WAIT. */
  readonly awakeTime: number | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
