import type { Peer } from '../../coap/index.ts';
import type { NotificationAttributes } from '../operation/operation.ts';
import type { Path } from '../path.ts';

export type Lwm2mVersion = '1.0' | '1.1' | '1.2';

/** An object that a device registered, with its version and instances. */
export interface RegisteredObject {
  readonly objectId: number;
  /** From `ver`; without it the version that core objects have in the LwM2M version of the device, 1.0 for others. */
  readonly version: string;
  readonly instanceIds: readonly number[];
}

/** A registration of a device (Core 1.2 §6.2). Immutable: an Update creates a new one with the same id. */
export interface Registration {
  /** The last segment of its location, `rd/{id}`. */
  readonly id: string;
  /** The key that the handlers use for the device, given at admission. */
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
  /** The alternate path, which precedes every device-management path; `/` without one. */
  readonly rootPath: string;
  /** The content formats in `ct` of the root link, in addition to the mandatory ones. */
  readonly contentFormats: readonly number[];
  readonly objects: readonly RegisteredObject[];
  /** Query parameters that the standard does not define, unchanged. */
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

/** A running observation, single (GET) or composite (FETCH). */
export interface ObservationRecord {
  readonly token: string;
  readonly registrationId: string;
  readonly deviceKey: string;
  readonly paths: readonly Path[];
  readonly composite: boolean;
  /** The Accept option of the Observe. */
  readonly contentFormat: number | null;
  readonly startedAt: number;
  /** The attributes of the Observe (1.2). The cancellation must carry them too. */
  readonly attributes?: NotificationAttributes;
}
