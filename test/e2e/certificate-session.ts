import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Authority } from '../dtls/certificates.ts';
import { Client } from '../dtls/client.ts';

/** An open DTLS session of a device with a certificate. */
export interface CertificateSession {
  /** Resolves with the first alert of the server. */
  ended(): Promise<string | number | undefined>;
  close(): void;
}

/** Opens a DTLS session over a real socket; fails the test unless the server accepts the certificate. */
export async function openCertificateSession(
  server: { readonly host: string; readonly port: number },
  { certificate, privateKey }: Authority,
): Promise<CertificateSession> {
  const socket = createSocket('udp4');
  const client = new Client({
    clock: systemClock,
    suites: ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8'],
    certificate: { privateKey, chain: [certificate] },
    transmit: (datagram) => socket.send(datagram, server.port, server.host),
  });
  socket.on('message', (datagram) => client.receive(datagram));
  client.start();
  while (client.state === 'shaking hands') await once(socket, 'message');
  expect(client.state).toBe('open');
  return {
    async ended() {
      while (client.alerts.length === 0) await once(socket, 'message');
      return client.alerts[0];
    },
    close() {
      client.stop();
      socket.close();
    },
  };
}
