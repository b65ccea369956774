import type { Address } from './address.ts';
import type { Claim } from './client-authentication.ts';
import type { Handshake } from './handshake.ts';
import type { HandshakeFailure } from './handshake-outcome.ts';

/** An ended handshake, for the log that a tenant's admin reads. It contains no secret. */
export interface HandshakeReport {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly durationMs: number;
  readonly from: Address;
  readonly suite: string | null;
  readonly resumed: boolean;
  /** The identity that the device claimed; null when it sent none. Verified only when `established` is true. */
  readonly claim: Claim | null;
  /** The stored credential for the claim; null when none was found. */
  readonly credential: string | null;
  readonly outcome: { readonly established: true } | ({ readonly established: false } & HandshakeFailure);
}

export function reportOf(handshake: Handshake, at: number, outcome: HandshakeReport['outcome']): HandshakeReport {
  return {
    at,
    durationMs: at - handshake.startedAt,
    from: handshake.address,
    suite: handshake.negotiated.suite.name,
    resumed: handshake.isResumption,
    claim: handshake.claim,
    credential: handshake.credential,
    outcome,
  };
}

/** The report of a ClientHello that failed in negotiation. */
export function refusalReport(from: Address, at: number, failure: HandshakeFailure): HandshakeReport {
  const outcome = { established: false, ...failure } as const;
  return { at, durationMs: 0, from, suite: null, resumed: false, claim: null, credential: null, outcome };
}
