/** The settings and limits of the LwM2M server. */
export interface Lwm2mServerSettings {
  /**
   * The grace: how long a registration stays valid after its lifetime. An Update may be late by MAX_TRANSMIT_WAIT
   * (RFC 7252 §4.8.2), and some clients don't register again when it is refused.
   */
  readonly graceMs: number;
  /** How long a queue-mode device is awake after its last message, unless its admission gives another time. */
  readonly awakeMs: number;
  /** The delay before the server tries again to store an expiry. */
  readonly expiryRetryMs: number;
  /** The maximum of registered devices. Above it the server answers a Register with 5.03. */
  readonly registrations: number;
  /** The maximum of observations per device. Above it an Observe rejects with LIMIT. */
  readonly observationsPerDevice: number;
  /** The maximum of running and waiting operations per device. Above it `perform` rejects with LIMIT. */
  readonly operationsPerDevice: number;
  /**
   * The maximum of running and waiting Registers, Updates and De-registers per device. Above it the server answers
   * 5.03.
   */
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
