import { DtlsError } from './error.ts';
import type { CertificateType } from './extensions.ts';
import type { ServerIdentity } from './server-identity.ts';
import { SUITES, type SuiteName, suiteNamed } from './suites.ts';

export interface DtlsLimits {
  /** Concurrent handshakes, in total. */
  readonly handshakes: number;
  /** Concurrent handshakes from one IPv4 address or one IPv6 /64. A NAT may hide many devices. */
  readonly handshakesPerAddress: number;
  /** The time from the second ClientHello to the Finished, in milliseconds. */
  readonly handshakeDeadlineMs: number;
  /** Concurrent credential look-ups for devices. */
  readonly lookUps: number;
  readonly lookUpTimeoutMs: number;
  readonly sessions: number;
  /** Open sessions, and resumable ones, of one credential, so that one device can't use up the sessions of all. */
  readonly sessionsPerCredential: number;
  /** A session is evicted for another only after it was idle for this time. */
  readonly evictAfterIdleMs: number;
  /** The number of resumable sessions, and how long after the full handshake they can be resumed. */
  readonly resumable: number;
  readonly resumableMs: number;
}

export const DEFAULT_LIMITS: DtlsLimits = {
  handshakes: 5_000,
  handshakesPerAddress: 256,
  handshakeDeadlineMs: 63_000,
  lookUps: 1_000,
  lookUpTimeoutMs: 10_000,
  sessions: 100_000,
  sessionsPerCredential: 8,
  evictAfterIdleMs: 60_000,
  resumable: 100_000,
  resumableMs: 24 * 3_600_000,
};

export interface DtlsSettings {
  /** Enabled suites in order of preference. */
  readonly suites: readonly SuiteName[];
  /** When null, only the PSK suites are usable. */
  readonly identity: ServerIdentity | null;
  /** Certificate types for both sides in order of preference. */
  readonly certificateTypes: readonly CertificateType[];
  /** Allows CBC suites without encrypt-then-MAC (RFC 7366). */
  readonly macThenEncrypt: boolean;
  /** The first byte of every Connection ID (0 to 255), so that a load balancer can find the process. */
  readonly workerId: number;
  readonly limits: DtlsLimits;
}

export const DEFAULT_SETTINGS: DtlsSettings = {
  suites: SUITES.map((suite) => suite.name),
  identity: null,
  certificateTypes: ['RawPublicKey', 'X509'],
  macThenEncrypt: false,
  workerId: 0,
  limits: DEFAULT_LIMITS,
};

/** Returns the settings when they are valid. Otherwise throws DtlsError `settings` with the invalid value. */
export function checked(settings: DtlsSettings): DtlsSettings {
  const { suites, workerId } = settings;
  const unknown = suites.find((name) => suiteNamed(name) === undefined);
  if (unknown !== undefined) throw new DtlsError('settings', `cipher suite '${unknown}' is not supported`);
  if (suites.length === 0) throw new DtlsError('settings', 'no cipher suite is enabled');
  if (!Number.isInteger(workerId) || workerId < 0 || workerId > 255) {
    throw new DtlsError('settings', `worker id ${workerId} is not an integer from 0 to 255`);
  }
  return settings;
}
