import type { RefusalCause } from '../../lwm2m/index.ts';
import type { Actor, DeviceId } from '../access/index.ts';
import type { Page, PageRequest } from '../common/index.ts';

/** DISPLACED: the registration goes back and forth between two addresses. The others: a refused Register or Update. */
export type RegistrationProblemKind = RefusalCause | 'DISPLACED';

/** A reason why a device can't register, or loses its registration. Equal problems of a device are counted as one. */
export interface RegistrationProblem {
  readonly id: string;
  /** The device whose credential or endpoint name was used. Null: the tenant has no such device. */
  readonly deviceId: DeviceId | null;
  /** The endpoint name that was sent; null if none was. It differs from the device's for ENDPOINT_MISMATCH. */
  readonly endpoint: string | null;
  readonly kind: RegistrationProblemKind;
  /** The code of the response: `4.03`. Null for DISPLACED. */
  readonly code: string | null;
  readonly reason: string;
  /** The last address and port: `192.0.2.7:56830`. */
  readonly address: string;
  /** The identity that was proved; null over NoSec. */
  readonly security: { readonly kind: 'psk' | 'rpk' | 'x509'; readonly name: string } | null;
  /** How often it happened since `firstAt`. */
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

/** The registration problems of the caller's tenant. */
export interface RegistrationProblems {
  /** Returns a page of problems, the newest first. Requires the role operator. */
  page(
    actor: Actor,
    request: PageRequest,
    filter?: { readonly deviceId?: DeviceId; readonly kinds?: readonly RegistrationProblemKind[] },
  ): Promise<Page<RegistrationProblem>>;
}
