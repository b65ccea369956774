import { constants } from 'node:crypto';
import type { Server } from 'node:net';
import { createServer, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Clock } from '../../clock.ts';
import type { SecurityIdentity } from '../transport.ts';

/** The server's certificate, and how clients are identified by theirs (RFC 8323 §8.2, RFC 7925). */
export interface TlsSettings {
  /** PEM: the server's certificate, then its issuers. */
  readonly certificates: string;
  /** PEM */
  readonly privateKey: string;
  /**
   * Looks up the client. `chain` is DER, the client's own certificate first; TLS has verified that the client has its
   * private key. Null: the client may not connect.
   */
  readonly identify: (chain: readonly Uint8Array[]) => Promise<SecurityIdentity | null>;
}

/** Looks up the client of a connection again. Rejects when the look-up fails or takes too long. */
export type Identify = () => Promise<SecurityIdentity | null>;

const LONGEST_CHAIN = 8;
/** The time limit of a TLS handshake, and of each look-up after it. */
const HANDSHAKE_MS = 30_000;

/** `onHandshake` is called after each successful handshake, also with clients that are not identified yet. */
export function createTlsServer(
  { certificates, privateKey, identify }: TlsSettings,
  clock: Clock,
  onHandshake: (socket: TLSSocket, identify: Identify) => void,
): Server {
  const server = createServer({
    cert: certificates,
    key: privateKey,
    minVersion: 'TLSv1.2',
    // RFC 8323 §8.2
    ALPNProtocols: ['coap'],
    requestCert: true,
    // TLS verifies only that the client has the private key; `identify` checks the certificate.
    rejectUnauthorized: false,
    // There is no session resumption (and no session cache): a resumed session lacks the certificates between the
    // client's own and the trust anchor, so it can't be checked.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
    handshakeTimeout: HANDSHAKE_MS,
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    // Read the chain now: a destroyed socket does not have it any more.
    const chain = chainOf(socket);
    onHandshake(socket, () => inTime(clock, () => identify(chain)));
  });
  return server;
}

/** Rejects when `ask` throws, rejects or takes longer than HANDSHAKE_MS. */
function inTime<Result>(clock: Clock, ask: () => Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const late = clock.after(HANDSHAKE_MS, () => reject(new Error('the certificate look-up timed out')));
    const asked = Promise.resolve().then(ask);
    void asked.then(resolve, reject).then(() => late.cancel());
  });
}

/** The client's certificates as DER, its own first. Empty when it has none. */
function chainOf(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  // Null when the socket is destroyed, although the type does not allow it.
  const own: (Partial<PeerCertificate> & { issuerCertificate?: unknown }) | null = socket.getPeerCertificate(true);
  for (let next = own; next?.raw && chain.length < LONGEST_CHAIN;) {
    const { raw, issuerCertificate } = next;
    chain.push(raw);
    // The root is its own issuer.
    if (typeof issuerCertificate !== 'object' || issuerCertificate === null || issuerCertificate === next) break;
    next = issuerCertificate;
  }
  return chain;
}
