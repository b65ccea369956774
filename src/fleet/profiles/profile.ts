import type { NotificationAttributes } from '../../lwm2m/index.ts';
import type { TenantId } from '../access/index.ts';
import type { RpcMethod } from '../operations/index.ts';

export interface ProfileInput {
  readonly name: string;
  readonly mappings?: readonly MetricMapping[];
  readonly methods?: readonly RpcMethod[];
  readonly offlineAfter?: number | null;
  /** 1..86,400 */
  readonly awakeTime?: number | null;
}

/** One line of a profile's metric mapping. */
export interface MetricMapping {
  /** `/3303/0/5700`, or with `*` for the instance: `/3303/{any}/5700`. */
  readonly path: string;
  /** The metric's name; `{instance}` stands for the instance id. */
  readonly metric: string;
  readonly scale?: number;
  readonly offset?: number;
  /** Overrides the rule by type. */
  readonly kind?: 'numeric' | 'string';
  /** Attributes of the observation. */
  readonly attributes?: NotificationAttributes;
}

export interface DeviceProfile {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly name: string;
  readonly isDefault: boolean;
  readonly mappings: readonly MetricMapping[];
  readonly methods: readonly RpcMethod[];
  /** Seconds without a message until `silent`; null: never. */
  readonly offlineAfter: number | null;
  /** Seconds that a queue-mode device stays awake after its last message; null: 93, MAX_TRANSMIT_WAIT. */
  readonly awakeTime: number | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
