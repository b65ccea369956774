import type { Peer } from '../coap/index.ts';
import type { Link } from './link-format.ts';
import type { ObjectModel } from './model/definition.ts';
import type { Path } from './path.ts';
import type { ObservationRecord, Registration, RegistrationEnd, Lwm2mVersion } from './registration/registration.ts';
import type { DecodedPayload } from './value.ts';

export interface RegisterRequest {
  /** Null when a 1.1+ device left it out: its security identity must give it. */
  readonly endpoint: string | null;
  readonly lwm2mVersion: Lwm2mVersion;
  readonly peer: Peer;
}

export type Admission =
  | {
      readonly admitted: true;
      readonly deviceKey: string;
      readonly endpoint: string;
      readonly model: ObjectModel;
      /** How long a queue-mode device stays awake after its last message; default 93 s (MAX_TRANSMIT_WAIT). */
      readonly awakeMs?: number;
    }
  /** `code` is the CoAP answer (4.00, 4.03); `reason` is for the log and the diagnostic payload, without secrets. */
  | { readonly admitted: false; readonly code: '4.00' | '4.03'; readonly reason: string };

/** Where readings came from. */
export type ReadingOrigin = 'READ' | 'NOTIFICATION' | 'SEND' | 'WRITE';

export interface ReadingBatch {
  readonly registration: Registration;
  readonly origin: ReadingOrigin;
  /** What was asked for: everything known below these paths that the batch does not hold is gone. Empty for a Send. */
  readonly scope: readonly Path[];
  readonly decoded: DecodedPayload;
  readonly receivedAt: number;
}

/**
 * What the LwM2M server asks of, and tells, the product around it. Promises are awaited before the device gets its
 * answer: an acknowledgement is a promise. A rejected promise becomes 5.00 (or no acknowledgement of a notification, so
 * that the device repeats it).
 */
export interface Lwm2mHandlers {
  /** May this endpoint register, and as which device? */
  admit(request: RegisterRequest): Promise<Admission>;
  /**
   * The links of the objects that a Profile ID stands for (Core 1.2 §6.2.1.2), null when it is unknown: the device then
   * registers anew with the whole list. A handlers without this knows none.
   */
  profileObjects?(profileId: string, deviceKey: string): Promise<readonly Link[] | null>;
  /**
   * A new registration; `previous` is the one it replaced, which is told here alone and not by `ended`. Resolves when it
   * is stored; until then the old one stands.
   */
  registered(registration: Registration, previous: Registration | null): Promise<void>;
  /** An Update. `moved` when the address changed. Resolves when it is stored. */
  updated(registration: Registration, previous: Registration, moved: boolean): Promise<void>;
  /**
   * It de-registered, expired, or `remove` was called. Its observations are told by `observationEnded` thereafter. When it
   * rejects, the registration stands; an expiry is tried again later.
   */
  ended(registration: Registration, end: RegistrationEnd): Promise<void>;
  /** Called after the answer to a Register or Update left: requests to the device may go now, if it is not asleep. */
  ready(registration: Registration, after: 'register' | 'update' | 'restart'): void;
  /** Resolves when the batch is stored. */
  readings(batch: ReadingBatch): Promise<void>;
  /** A payload that could not be decoded; kept so that nothing is dropped in silence. */
  undecodable(
    registration: Registration,
    payload: { contentFormat: number | null; bytes: Uint8Array; path: string; reason: string; origin: ReadingOrigin },
  ): Promise<void>;
  observationStarted(observation: ObservationRecord): Promise<void>;
  observationEnded(
    observation: ObservationRecord,
    reason: 'cancelled' | 'refused' | 'registration-ended',
  ): Promise<void>;
  /** Any message of the device, registered or not in its answer; cheap, never awaited. */
  heard(registration: Registration, at: number): void;
  /** A queue-mode device went to sleep or woke. */
  sleeping(registration: Registration, asleep: boolean): void;
}

/** What a restart finds: given to `start` of the server. */
export interface RestoredState {
  readonly registrations: readonly { registration: Registration; model: ObjectModel; awakeMs?: number }[];
  readonly observations: readonly ObservationRecord[];
}
