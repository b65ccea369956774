import { constants } from 'node:crypto';
import type { Server } from 'node:net';
import { createServer, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Clock } from '../../clock.ts';
import type { SecurityIdentity } from '../transport.ts';

/** RFC 8323 §8.2, RFC 7925: what the server proves itself with, and whom a client's certificates make it. */
export interface TlsSettings {
  /** PEM: the server's certificate and its issuers. */
  readonly certificates: string;
  /** PEM */
  readonly privateKey: string;
  /** `chain`: DER, the client's own first, whose private key TLS has proved. Null: it may not connect. */
  readonly identify: (chain: readonly Uint8Array[]) => Promise<SecurityIdentity | null>;
}

/** Whom a connection's certificates make its peer today. Rejects when that can't be looked up, or not in time. */
export type Identify = () => Promise<SecurityIdentity | null>;

const LONGEST_CHAIN = 8;
/** A TLS handshake, and each look-up behind it. */
const HANDSHAKE_MS = 30_000;

/** `onHandshake` is called for each handshake that ends well, whoever the client is. */
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
    // Whose certificate it is, is looked up: TLS proves that the client has its key.
    rejectUnauthorized: false,
    // Nothing is resumed (nor is there a session cache): a resumed session has lost the certificates between the client's
    // own and the trust anchor, so it can't be checked.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
    handshakeTimeout: HANDSHAKE_MS,
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    // Now: a socket that is destroyed later has forgotten it.
    const chain = chainOf(socket);
    onHandshake(socket, () => inTime(clock, () => identify(chain)));
  });
  return server;
}

/** Rejects when `ask` throws, rejects or takes longer than a handshake may. */
function inTime<Result>(clock: Clock, ask: () => Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const late = clock.after(HANDSHAKE_MS, () => reject(new Error('the certificate look-up timed out')));
    const asked = Promise.resolve().then(ask);
    void asked.then(resolve, reject).then(() => late.cancel());
  });
}

/** DER, the client's own first; none when it has no certificate. */
function chainOf(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  // Null when the socket is destroyed, whatever the types say.
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
