import { DtlsError } from './error.ts';
import type { CertificateType } from './extensions.ts';
import type { ServerIdentity } from './server-identity.ts';
import { SUITES, type SuiteName, suiteNamed } from './suites.ts';

export interface DtlsLimits {
  /** Handshakes under way, in total. */
  readonly handshakes: number;
  /** Handshakes under way from one IPv4 address or one /64 of IPv6; a NAT may hide many devices. */
  readonly handshakesPerAddress: number;
  /** From the second ClientHello to the Finished, in milliseconds. */
  readonly handshakeDeadlineMs: number;
  /** Credential look-ups under way. */
  readonly lookUps: number;
  readonly lookUpTimeoutMs: number;
  readonly sessions: number;
  /** Sessions of one credential: one device must not take the room of all. */
  readonly sessionsPerCredential: number;
  /** A session idle for less is never evicted to make room for another. */
  readonly evictAfterIdleMs: number;
  /** Sessions that can be resumed, and for how long after their full handshake. */
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
  /** Enabled suites, the preferred first. */
  readonly suites: readonly SuiteName[];
  /** Null: only the PSK suites are offered. */
  readonly identity: ServerIdentity | null;
  /** For each side, when a client offers both, the preferred first. */
  readonly certificateTypes: readonly CertificateType[];
  /** Whether CBC suites may go without encrypt-then-MAC (RFC 7366). */
  readonly macThenEncrypt: boolean;
  /** The first byte of every Connection ID, so that a balancer can find the process: 0 to 255. */
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

/** Throws DtlsError `settings`, naming the value. */
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
