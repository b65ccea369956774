import type { NotificationAttributes } from '../../lwm2m/index.ts';
import type { WriteValue } from '../objects/index.ts';

/**
 * Whether several paths become one composite request (Core 1.2 §6.3.8, §6.3.10): AUTO, the default, sends single requests
 * to a device that does not support it.
 */
export type CompositeChoice = 'AUTO' | 'ALWAYS' | 'NEVER';

/**
 * An operation in the words of the API, before it becomes an RPC. `planOperation` checks it by the device's objects and
 * their definitions.
 */
export type OperationInput =
  | {
      readonly kind: 'read';
      readonly paths: readonly string[];
      readonly contentFormat?: number | null;
      /** True sends the Read of one path without the Accept option; the device then chooses the format. */
      readonly withoutAccept?: boolean | null;
      readonly composite?: CompositeChoice | null;
    }
  | {
      readonly kind: 'write';
      readonly values: readonly WriteValue[];
      readonly mode: 'REPLACE' | 'UPDATE';
      /** True: also sends values that violate the definition of their resource. */
      readonly force?: boolean | null;
      readonly contentFormat?: number | null;
      readonly composite?: CompositeChoice | null;
    }
  | {
      readonly kind: 'execute';
      readonly path: string;
      readonly arguments?: Readonly<Record<string, string | null>> | null;
    }
  | {
      readonly kind: 'create';
      readonly objectId: number;
      readonly instanceId?: number | null;
      /** Each path is relative to the new instance: `5700`, `6/0`. */
      readonly values: readonly WriteValue[];
      /** True: also sends values outside of the range of their resource. */
      readonly force?: boolean | null;
      readonly contentFormat?: number | null;
    }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'discover'; readonly path: string; readonly depth?: number | null }
  | { readonly kind: 'write-attributes'; readonly path: string; readonly attributes: NotificationAttributes }
  | {
      readonly kind: 'observe';
      readonly paths: readonly string[];
      readonly attributes?: NotificationAttributes | null;
      readonly contentFormat?: number | null;
    }
  | { readonly kind: 'cancel-observation'; readonly paths: readonly string[]; readonly passive?: boolean | null };
