import type { Peer } from '../../coap/index.ts';
import type { Lwm2mVersion } from '../registration/registration.ts';
import type { BootstrapConfiguration } from './configuration.ts';

export interface BootstrapRequest {
  /** Null when a 1.1+ device sent no `ep`: its security identity then gives the endpoint name. */
  readonly endpoint: string | null;
  readonly peer: Peer;
  /** Bootstrap-Pack-Request (1.2). */
  readonly pack: boolean;
}

export type BootstrapAdmission =
  | {
      readonly admitted: true;
      /** The id that the handlers give to this bootstrap; each later call contains it. */
      readonly bootstrapId: string;
      /** A device has at most one bootstrap session: a new one ends the previous one. */
      readonly deviceKey: string;
      readonly configuration: BootstrapConfiguration;
    }
  /** `reason` goes to the log and to the diagnostic payload, so it contains no secrets. */
  | { readonly admitted: false; readonly code: '4.00' | '4.03'; readonly reason: string };

export interface BootstrapStep {
  readonly operation: 'DISCOVER' | 'DELETE' | 'WRITE' | 'READ' | 'FINISH' | 'PACK';
  readonly path: string;
  readonly contentFormat: number | null;
  /** The number of payload bytes that the server sent or received. */
  readonly bytes: number;
  /** `2.04`; null when the device did not answer. */
  readonly code: string | null;
  /** The diagnostic payload of the device, or the reason why there is no response. */
  readonly message: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export type BootstrapOutcome =
  | { readonly finished: true; readonly lwm2mVersion: Lwm2mVersion | null }
  | { readonly finished: false; readonly reason: string };

/** The callbacks of the bootstrap server to the product. The server awaits each promise before it continues. */
export interface BootstrapHandlers {
  /** Decides whether this device may bootstrap, and with which configuration. */
  admit(request: BootstrapRequest): Promise<BootstrapAdmission>;
  stepped(bootstrapId: string, step: BootstrapStep): Promise<void>;
  /** Called once for each admitted bootstrap. */
  ended(bootstrapId: string, outcome: BootstrapOutcome): Promise<void>;
}
