import type { Path } from '../path.ts';
import type { TypedValue } from '../value.ts';
import type { Link } from '../link-format.ts';
import type { DecodedPayload } from '../value.ts';

/** The attributes of a Write-Attributes or an Observe (Core 1.2 §7.3); null unsets an attribute. */
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

/** An operation on a device (Core 1.2 §6.3, §6.4). `contentFormat` replaces the choice by the registration. */
export type Operation =
  /** With a null content format the device chooses. */
  | { readonly kind: 'read'; readonly path: Path; readonly contentFormat?: number | null }
  | { readonly kind: 'read-composite'; readonly paths: readonly Path[]; readonly contentFormat?: number }
  | {
      readonly kind: 'write';
      /** An instance, a resource or a resource instance; every value is at or below it. */
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
  /** `arguments` maps a digit to a text or null (grammar: Core 1.2 §6.3.5). */
  | { readonly kind: 'execute'; readonly path: Path; readonly arguments: Readonly<Record<string, string | null>> }
  | {
      readonly kind: 'create';
      readonly objectId: number;
      /** With null the device chooses. */
      readonly instanceId: number | null;
      /** Relative to the new instance: a resource id, or a resource id and a resource instance id. */
      readonly values: readonly { readonly resource: readonly number[]; readonly value: TypedValue }[];
      readonly contentFormat?: number;
    }
  | { readonly kind: 'delete'; readonly path: Path }
  | { readonly kind: 'discover'; readonly path: Path; readonly depth?: number }
  | { readonly kind: 'write-attributes'; readonly path: Path; readonly attributes: NotificationAttributes }
  | {
      readonly kind: 'observe';
      /** One path makes an Observe, several make an Observe-Composite. */
      readonly paths: readonly Path[];
      readonly attributes?: NotificationAttributes;
      /** With null the device chooses. */
      readonly contentFormat?: number | null;
      /** True: sends the Observe also when the observation runs; it replaces that one if the device accepts it. */
      readonly renew?: boolean;
    }
  | { readonly kind: 'cancel-observation'; readonly paths: readonly Path[]; readonly passive?: boolean };

/**
 * The response of the device. For an error response `ok` is false and `code` gives the reason. `ok` is also false when
 * the device answers an Observe with 2.05 but does not observe; `decoded` then holds the values.
 */
export interface OperationResult {
  readonly ok: boolean;
  /** `2.05`, `4.04`; `0.00` for a passive cancellation, which sends no request. */
  readonly code: string;
  /** The diagnostic payload of an error response (RFC 7252 §5.5.2), at most 256 characters; null when there is none. */
  readonly message: string | null;
  readonly contentFormat: number | null;
  /** The values of a Read or an Observe. */
  readonly decoded: DecodedPayload | null;
  /** The links of a Discover. */
  readonly links: readonly Link[] | null;
  /** The id of the created instance; null when neither the device nor the caller gave it. */
  readonly createdInstanceId: number | null;
  /** The Max-Age of the response, in seconds (RFC 7252 §5.10.5); null without the option. */
  readonly maxAge: number | null;
}
