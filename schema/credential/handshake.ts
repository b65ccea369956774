import type { HandshakeRecord } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { encodeGlobalId } from '../global-id.ts';

export const HandshakeType = builder.objectRef<HandshakeRecord>('Handshake').implement({
  description: 'A DTLS handshake of a device, or of somebody who claimed to be it: when, from where, and how it ended.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it ended.' }),
    durationMs: t.exposeInt('durationMs', { description: 'How long it took, in milliseconds: `42`.' }),
    address: t.exposeString('address', { description: 'Where it came from: `"192.0.2.7:56830"`.' }),
    suite: t.exposeString('suite', {
      nullable: true,
      description: 'The cipher suite: `"TLS_PSK_WITH_AES_128_CCM_8"`; null when there was none in common.',
    }),
    resumed: t.exposeBoolean('resumed', { description: 'Whether it went on from an earlier session.' }),
    established: t.exposeBoolean('established', { description: 'Whether the device proved itself and was let in.' }),
    alert: t.exposeString('alert', {
      nullable: true,
      description:
        'The alert that it was sent (RFC 5246 §7.2): `"certificate_expired"`; null when it was told nothing.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description:
        'Why it failed: `"certificate \'CN=urn:imei:123\' expired 2026-03-01"`; null when the device was let in.',
    }),
    credentialId: t.id({
      description: 'The id of the credential that was claimed.',
      resolve: ({ credentialId }) => encodeGlobalId('DeviceCredential', credentialId),
    }),
  }),
});
