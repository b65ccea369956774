/** What can be set of the LwM2M server, and its bounds. */
export interface Lwm2mServerSettings {
  /**
   * How long a registration outlives its lifetime: an Update may be late by MAX_TRANSMIT_WAIT (RFC 7252 §4.8.2) and some
   * clients don't register anew when it is refused.
   */
  readonly graceMs: number;
  /** How long a queue-mode device is awake after its last message, where its admission says nothing else. */
  readonly awakeMs: number;
  /** After which an expiry that could not be stored is tried again. */
  readonly expiryRetryMs: number;
  /** Devices registered at the same time. Above it a Register is answered 5.03. */
  readonly registrations: number;
  /** Above it an Observe is refused with LIMIT. */
  readonly observationsPerDevice: number;
  /** Operations under way or waiting on one device. Above it LIMIT. */
  readonly operationsPerDevice: number;
  /** Registers, Updates and De-registers of one device under way or waiting. Above it they are answered 5.03. */
  readonly tasksPerDevice: number;
}

export const defaultLwm2mServerSettings: Lwm2mServerSettings = {
  graceMs: 93_000,
  awakeMs: 93_000,
  expiryRetryMs: 30_000,
  registrations: 1_000_000,
  observationsPerDevice: 256,
  operationsPerDevice: 128,
  tasksPerDevice: 8,
};
