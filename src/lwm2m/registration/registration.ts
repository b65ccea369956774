import type { Peer } from '../../coap/index.ts';
import type { NotificationAttributes } from '../operation/operation.ts';
import type { Path } from '../path.ts';

export type Lwm2mVersion = '1.0' | '1.1' | '1.2';

/** An object that a device said it has, with its version and instances. */
export interface RegisteredObject {
  readonly objectId: number;
  /** As told by `ver`, else by the rule of facts: the version of the LwM2M enabler for core objects, 1.0 for others. */
  readonly version: string;
  readonly instanceIds: readonly number[];
}

/** A device's registration (Core 1.2 §6.2). Immutable: an Update makes a new one with the same id. */
export interface Registration {
  /** The last segment of its location, `rd/{id}`. */
  readonly id: string;
  /** What the handlers calls the device: the key of everything said about it. */
  readonly deviceKey: string;
  readonly endpoint: string;
  readonly lwm2mVersion: Lwm2mVersion;
  /** Seconds; 0 means infinite. */
  readonly lifetime: number;
  /** Letters without Q: `U`, `UT`. */
  readonly binding: string;
  readonly queueMode: boolean;
  readonly smsNumber: string | null;
  readonly profileIds: readonly string[];
  /** Prefix of every device-management path, `/` when none. */
  readonly rootPath: string;
  /** What the root link's `ct` says the device speaks beside the mandatory formats. */
  readonly contentFormats: readonly number[];
  readonly objects: readonly RegisteredObject[];
  /** Query parameters that the standard does not know, kept as they came. */
  readonly additional: Readonly<Record<string, string>>;
  readonly peer: Peer;
  readonly transport: 'udp' | 'dtls' | 'tcp' | 'tls';
  /** Milliseconds since the Unix epoch. */
  readonly registeredAt: number;
  readonly updatedAt: number;
  /** `updatedAt` + lifetime, without the grace; null when infinite. */
  readonly expiresAt: number | null;
}

export type RegistrationEnd = 'deregistered' | 'expired' | 'replaced' | 'removed';

/** An observation that runs on a device, single (GET) or composite (FETCH). */
export interface ObservationRecord {
  readonly token: string;
  readonly registrationId: string;
  readonly deviceKey: string;
  readonly paths: readonly Path[];
  readonly composite: boolean;
  /** What Accept asked for. */
  readonly contentFormat: number | null;
  readonly startedAt: number;
  /** What the Observe itself carried (1.2); it is part of what cancels it. */
  readonly attributes?: NotificationAttributes;
}
