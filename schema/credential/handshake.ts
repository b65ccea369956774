import type { HandshakeRecord } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { encodeGlobalId } from '../global-id.ts';

export const HandshakeType = builder.objectRef<HandshakeRecord>('Handshake').implement({
  description:
    'A DTLS handshake with the identity of a device: its time, address and result. A peer that only claims the identity is listed too.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When the handshake ended.' }),
    durationMs: t.exposeInt('durationMs', { description: 'The duration in milliseconds: `42`.' }),
    address: t.exposeString('address', { description: 'The peer’s address: `"192.0.2.7:56830"`.' }),
    suite: t.exposeString('suite', {
      nullable: true,
      description: 'The cipher suite: `"TLS_PSK_WITH_AES_128_CCM_8"`; null if client and server have none in common.',
    }),
    resumed: t.exposeBoolean('resumed', { description: 'True: the handshake resumed an earlier session.' }),
    established: t.exposeBoolean('established', {
      description: 'True: the device authenticated and the session was established.',
    }),
    alert: t.exposeString('alert', {
      nullable: true,
      description: 'The alert that the server sent (RFC 5246 §7.2): `"certificate_expired"`; null if it sent none.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description:
        'Why the handshake failed: `"certificate \'CN=urn:imei:123\' expired 2026-03-01"`; null if it succeeded.',
    }),
    credentialId: t.id({
      description: 'The global id of the credential whose identity the peer used.',
      resolve: ({ credentialId }) => encodeGlobalId('DeviceCredential', credentialId),
    }),
  }),
});
