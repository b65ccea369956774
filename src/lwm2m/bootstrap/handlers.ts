import type { Peer } from '../../coap/index.ts';
import type { Lwm2mVersion } from '../registration/registration.ts';
import type { BootstrapConfiguration } from './configuration.ts';

export interface BootstrapRequest {
  /** Null when a 1.1+ device left it out: its security identity must give it. */
  readonly endpoint: string | null;
  readonly peer: Peer;
  /** Bootstrap-Pack-Request (1.2). */
  readonly pack: boolean;
}

export type BootstrapAdmission =
  | {
      readonly admitted: true;
      /** What the handlers calls this bootstrap: every step is told under it. */
      readonly bootstrapId: string;
      /** One bootstrap runs for a device at a time: a new one ends the one before. */
      readonly deviceKey: string;
      readonly configuration: BootstrapConfiguration;
    }
  /** `reason` is for the log and the diagnostic payload, without secrets. */
  | { readonly admitted: false; readonly code: '4.00' | '4.03'; readonly reason: string };

export interface BootstrapStep {
  readonly operation: 'DISCOVER' | 'DELETE' | 'WRITE' | 'READ' | 'FINISH' | 'PACK';
  readonly path: string;
  readonly contentFormat: number | null;
  /** Payload bytes that we sent, or that were read. */
  readonly bytes: number;
  /** `2.04`; null when the device did not answer. */
  readonly code: string | null;
  /** The device's diagnostic payload, or why there was no answer. */
  readonly message: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export type BootstrapOutcome =
  | { readonly finished: true; readonly lwm2mVersion: Lwm2mVersion | null }
  | { readonly finished: false; readonly reason: string };

/** What the bootstrap server asks of, and tells, the product around it. Promises are awaited before it goes on. */
export interface BootstrapHandlers {
  /** May this device bootstrap, and what shall it have afterwards? */
  admit(request: BootstrapRequest): Promise<BootstrapAdmission>;
  stepped(bootstrapId: string, step: BootstrapStep): Promise<void>;
  /** Called once for every bootstrap that was admitted. */
  ended(bootstrapId: string, outcome: BootstrapOutcome): Promise<void>;
}
