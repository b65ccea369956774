import type { Peer } from '../coap/index.ts';
import type { Link } from './link-format.ts';
import type { ObjectModel } from './model/definition.ts';
import type { Discovery } from './operation/discovery.ts';
import type { Path } from './path.ts';
import type { ObservationRecord, Registration, RegistrationEnd, Lwm2mVersion } from './registration/registration.ts';
import type { DecodedPayload } from './value.ts';

export interface RegisterRequest {
  /** Null when a 1.1+ device sent no `ep`: its security identity then gives the endpoint name. */
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
  /** `code` is the response code. `reason` goes to the log and to the diagnostic payload, so it contains no secrets. */
  | {
      readonly admitted: false;
      readonly code: '4.00' | '4.03';
      readonly reason: string;
      readonly cause: RefusalCause;
    };

/** Why a Register or an Update is refused. */
export type RefusalCause =
  /** The message breaks a rule of LwM2M: a parameter, the endpoint name, the list of objects. */
  | 'MALFORMED'
  /** The server does not support the version, the content format or the Profile ID. */
  | 'UNSUPPORTED'
  /** The endpoint name is not that of the device of the credential. */
  | 'ENDPOINT_MISMATCH'
  | 'UNKNOWN_ENDPOINT'
  /** The device has credentials and did not use security. */
  | 'SECURITY_REQUIRED'
  /** The credential was revoked or deleted, or has expired. */
  | 'CREDENTIAL_ENDED'
  /** The server or the network of the device has as many devices as it may have. */
  | 'LIMIT';

/** A Register or an Update that the server answered with an error. */
export interface RefusedRegistration {
  readonly peer: Peer;
  /** The endpoint name that the device sent; for an Update, that of the registration. Null if there is none. */
  readonly endpoint: string | null;
  readonly cause: RefusalCause;
  /** The code of the response: `4.03`. */
  readonly code: string;
  /** The diagnostic payload of the response. */
  readonly reason: string;
}

/** The message that brought the readings. */
export type ReadingOrigin = 'READ' | 'NOTIFICATION' | 'SEND' | 'WRITE';

export interface ReadingBatch {
  readonly registration: Registration;
  readonly origin: ReadingOrigin;
  /** The requested paths: values below them that the batch does not contain no longer exist. Empty for a Send. */
  readonly scope: readonly Path[];
  readonly decoded: DecodedPayload;
  readonly receivedAt: number;
  /**
   * Null for the present values. Else the notification arrived late, after a newer one of the same observation, and this
   * is the time at which that one arrived: the values are older than those of the device's tree.
   */
  readonly olderThan: number | null;
  /** The message that brought the values (`IncomingRequest.message`); null when there is none, or over TCP and TLS. */
  readonly message: string | null;
}

/**
 * The callbacks of the LwM2M server to the product. The server awaits each promise before it answers the device, so an
 * acknowledgement confirms that the data is stored. When a handler rejects, the server answers 5.00; it does not
 * acknowledge a notification, so that the device repeats it.
 */
export interface Lwm2mHandlers {
  /** Decides whether this endpoint may register, and as which device. */
  admit(request: RegisterRequest): Promise<Admission>;
  /** A Register or an Update was refused. Must be fast; not awaited. */
  refused?(refusal: RefusedRegistration): void;
  /**
   * Returns the object links of a Profile ID (Core 1.2 §6.2.1.2), or null when the ID is unknown: the device then
   * registers again with the complete list. Without this handler every Profile ID is unknown.
   */
  profileObjects?(profileId: string, deviceKey: string): Promise<readonly Link[] | null>;
  /**
   * Stores a new registration. `previous` is the registration that it replaces; `ended` is not called for that one. The
   * previous registration stays valid until the promise resolves.
   */
  registered(registration: Registration, previous: Registration | null): Promise<void>;
  /** Stores an Update. `moved` is true when the address of the device changed. */
  updated(registration: Registration, previous: Registration, moved: boolean): Promise<void>;
  /** Stores that the registration moved to another session or address of its device, without an Update. */
  moved(registration: Registration): Promise<void>;
  /**
   * Stores the objects of the registration: the device has created or deleted an instance, and has not sent an Update
   * with its new list yet.
   */
  instancesChanged(registration: Registration): Promise<void>;
  /**
   * The DTLS session, or the TCP or TLS connection, of the device has ended; it is offline until its next Register or
   * Update. Not called for a queue-mode device, which sleeps. Not awaited.
   */
  disconnected(registration: Registration): void;
  /**
   * Stores that the device de-registered, that the registration expired or that `remove` was called. `observationEnded`
   * follows for each of its observations. When this rejects, the registration stays; an expiry is tried again later.
   */
  ended(registration: Registration, end: RegistrationEnd): Promise<void>;
  /** The response to a Register or Update was sent. Requests to the device may follow, unless it is asleep. */
  ready(registration: Registration, after: 'register' | 'update' | 'restart'): void;
  /**
   * Stores the batch. Resolves with the reason if it is not stored because of an error of the device: the server answers
   * a Send with 4.00 and the reason, and acknowledges a notification, because repeating it would not help. Resolves with
   * `retryAfterMs` if the device sends too much: the server answers a Send with 4.29 and Max-Age (RFC 8516), and does not
   * acknowledge a notification, so that the device repeats it.
   */
  readings(batch: ReadingBatch): Promise<{ readonly refused: string } | { readonly retryAfterMs: number } | void>;
  /** Stores which resources the device has, from the answer to a Discover. */
  discovered(registration: Registration, discovery: Discovery): Promise<void>;
  /** Stores a payload that the server could not decode, so that no data is dropped silently. */
  undecodable(
    registration: Registration,
    payload: { contentFormat: number | null; bytes: Uint8Array; path: string; reason: string; origin: ReadingOrigin },
  ): Promise<void>;
  observationStarted(observation: ObservationRecord): Promise<void>;
  /** `code` is the CoAP code of the notification with which the device ended it (`4.04`); null for other reasons. */
  observationEnded(
    observation: ObservationRecord,
    reason: 'cancelled' | 'refused' | 'registration-ended',
    code: string | null,
  ): Promise<void>;
  /** The device sent a message (request, response, acknowledgement or notification). Must be fast; not awaited. */
  heard(registration: Registration, at: number): void;
  /** A queue-mode device fell asleep or woke up. */
  sleeping(registration: Registration, asleep: boolean): void;
  /** A request showed whether a queue-mode device was awake. Must be fast; not awaited. */
  probed(registration: Registration, probe: AwakeProbe): void;
}

/** What a request showed of a queue-mode device. */
export interface AwakeProbe {
  /** The time from the last message of the device to the request, in milliseconds. */
  readonly quietMs: number;
  /**
   * True: the device answered. False: it did not answer for at least 10 seconds, in which the request was repeated, and
   * came back later by itself, within the same registration.
   */
  readonly answered: boolean;
}

/** The state that an earlier run of the server stored; the argument of `Lwm2mServer.start`. */
export interface RestoredState {
  readonly registrations: readonly { registration: Registration; model: ObjectModel; awakeMs?: number }[];
  readonly observations: readonly ObservationRecord[];
}
