import type { Subscription } from '../events/index.ts';
import type { FleetEvents } from '../fleet/index.ts';

/** A DTLS or TLS server whose sessions end with the credential that opened them. */
interface SecureTransport {
  endSessions(credential: string): void;
}

/** The endpoints of one server, which check certificates against trust anchors. */
interface CertificateChecks {
  forgetAnchors(): void;
  recheckCertificates(): Promise<void>;
}

/** Ends the sessions of each credential that ends. Resolves when the bus closes. */
export async function endSessionsWithCredentials(
  ends: Subscription<FleetEvents['credentialEnded']>,
  transports: readonly SecureTransport[],
): Promise<void> {
  for await (const event of ends) {
    if (event.kind !== 'event') continue;
    for (const transport of transports) transport.endSessions(event.value.credentialId);
  }
}

/**
 * Applies a new trust anchor to the next handshakes; applies a withdrawn anchor or certificate to open sessions too.
 * Resolves when the bus closes.
 */
export async function recheckAfterTrustChanges(
  changes: Subscription<FleetEvents['trustChanged']>,
  servers: readonly CertificateChecks[],
): Promise<void> {
  for await (const change of changes) {
    for (const server of servers) server.forgetAnchors();
    if (change.kind === 'event' && change.value.counts) continue;
    await Promise.all(servers.map((server) => server.recheckCertificates()));
  }
}
