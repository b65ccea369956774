import type { Path } from '../path.ts';
import type { TypedValue } from '../value.ts';
import type { Link } from '../link-format.ts';
import type { DecodedPayload } from '../value.ts';

/** Attributes of Write-Attributes and of Observe (Core 1.2 §7.3); null unsets one at that level. */
export interface NotificationAttributes {
  readonly pmin?: number | null;
  readonly pmax?: number | null;
  readonly gt?: number | null;
  readonly lt?: number | null;
  readonly st?: number | null;
  readonly epmin?: number | null;
  readonly epmax?: number | null;
  readonly edge?: boolean | null;
  readonly con?: boolean | null;
  readonly hqmax?: number | null;
}

export interface PathValue {
  readonly path: Path;
  readonly value: TypedValue;
}

/** What can be asked of a device (Core 1.2 §6.3, §6.4). `contentFormat` overrides the choice made from the registration. */
export type Operation =
  /** A null content format leaves the choice to the device. */
  | { readonly kind: 'read'; readonly path: Path; readonly contentFormat?: number | null }
  | { readonly kind: 'read-composite'; readonly paths: readonly Path[]; readonly contentFormat?: number }
  | {
      readonly kind: 'write';
      /** An instance, a resource or a resource instance; every value lies at or below it. */
      readonly path: Path;
      readonly values: readonly PathValue[];
      /** Replace is PUT, update is POST (Core 1.2 §6.3.3). */
      readonly mode: 'replace' | 'update';
      readonly contentFormat?: number;
    }
  | {
      readonly kind: 'write-composite';
      /** A null value deletes the resource instance (1.2, SenML ETCH). */
      readonly values: readonly { readonly path: Path; readonly value: TypedValue | null }[];
      readonly contentFormat?: number;
    }
  /** `arguments`: digit → text or null, sent as the grammar of Core 1.2 §6.3.5 wants. */
  | { readonly kind: 'execute'; readonly path: Path; readonly arguments: Readonly<Record<string, string | null>> }
  | {
      readonly kind: 'create';
      readonly objectId: number;
      /** Null: the device chooses. */
      readonly instanceId: number | null;
      /** Paths are relative to the new instance: resource (and resource instance) ids. */
      readonly values: readonly { readonly resource: readonly number[]; readonly value: TypedValue }[];
      readonly contentFormat?: number;
    }
  | { readonly kind: 'delete'; readonly path: Path }
  | { readonly kind: 'discover'; readonly path: Path; readonly depth?: number }
  | { readonly kind: 'write-attributes'; readonly path: Path; readonly attributes: NotificationAttributes }
  | {
      readonly kind: 'observe';
      /** One path is a single Observe, more is Observe-Composite. */
      readonly paths: readonly Path[];
      readonly attributes?: NotificationAttributes;
      /** Null leaves the choice to the device. */
      readonly contentFormat?: number | null;
    }
  | { readonly kind: 'cancel-observation'; readonly paths: readonly Path[]; readonly passive?: boolean };

/**
 * What the device answered. A refusal is an answer: `ok` is false and `code` says why. An Observe that the device
 * answers with 2.05 as if it were a Read is not `ok`: nothing is observed, though `decoded` holds what it said.
 */
export interface OperationResult {
  readonly ok: boolean;
  /** `2.05`, `4.04`; `0.00` for a passive cancellation, which asks nothing. */
  readonly code: string;
  /** The diagnostic payload of a refusal (RFC 7252 §5.5.2), at most 256 characters; null when there is none. */
  readonly message: string | null;
  readonly contentFormat: number | null;
  /** What a read or an observe brought. */
  readonly decoded: DecodedPayload | null;
  /** What a discover brought. */
  readonly links: readonly Link[] | null;
  /** The instance that a create made, where the device says it. */
  readonly createdInstanceId: number | null;
}
