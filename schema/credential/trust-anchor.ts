import type { TrustAnchor } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { encodeGlobalId, idOf } from '../global-id.ts';
import { NAME, name, text } from '../rules.ts';

const TrustAnchorType = builder.objectRef<TrustAnchor>('TrustAnchor').implement({
  description:
    'A certificate authority that the tenant trusts. A device authenticates with a certificate that this authority issued, directly or through intermediates, and whose common name is that of one of the device’s X509 credentials.',
  fields: (t) => ({
    id: t.id({
      description: 'The trust anchor’s global id; pass it to `removeTrustAnchor`.',
      resolve: ({ id }) => encodeGlobalId('TrustAnchor', id),
    }),
    name: t.exposeString('name', { description: 'A name for people: `"Factory 2026"`.' }),
    subject: t.exposeString('subject', { description: 'The subject of the certificate: `"CN=Factory Root"`.' }),
    fingerprint: t.exposeString('fingerprint', { description: 'The SHA-256 of the certificate in hex.' }),
    notAfter: t.expose('notAfter', { type: 'DateTime', description: 'When the certificate expires.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the trust anchor was added.' }),
  }),
});

type AnchorFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, TrustAnchor>;

function anchorPayload(done: string, description: string) {
  return {
    description: done,
    outputFields: (t: AnchorFields) => ({
      trustAnchor: t.field({ type: TrustAnchorType, description, resolve: (anchor) => anchor }),
    }),
  };
}

builder.queryField('trustAnchors', (t) =>
  t.field({
    type: [TrustAnchorType],
    nullable: true,
    description:
      'Lists the certificate authorities that the tenant trusts. Only for admins. A caller with another role gets null, with the error at this field.',
    authScopes: { admin: true },
    resolve: async (_root, _args, { fleet, actor }) => [...(await fleet.credentials.anchors(actor))],
  }),
);

builder.relayMutationField(
  'addTrustAnchor',
  {
    description: 'The certificate authority: `{ name: "Factory 2026", certificate: "-----BEGIN CERTIFICATE-----…" }`.',
    inputFields: (t) => ({
      name: t.string({
        required: true,
        description: 'A name for people: `"Factory 2026"`.',
        validate: NAME,
      }),
      certificate: t.string({
        required: true,
        description: 'The authority’s certificate in PEM, or in base64 of DER: `"MIIBszCCAVmgAwIBAgIU…"`.',
        validate: text({ most: 32_768, lines: true }),
      }),
    }),
  },
  {
    description:
      'Adds a certificate authority: the server then accepts device certificates that it issued. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('AddTrustAnchor', {
      role: 'admin',
      validation: 'the text is not a certificate of a certificate authority',
      conflict: 'the certificate is already a trust anchor or is revoked, or the tenant already has 64 trust anchors',
    }),
    resolve: (_root, { input }, { fleet, actor }) => fleet.credentials.addAnchor(actor, input),
  },
  anchorPayload('The new trust anchor.', 'The new trust anchor.'),
);

builder.relayMutationField(
  'removeTrustAnchor',
  {
    description: 'The trust anchor to remove.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'The trust anchor’s global id or UUID.' }) }),
  },
  {
    description:
      'Removes a certificate authority: the server no longer accepts certificates that it issued, and ends their sessions. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('RemoveTrustAnchor', {
      role: 'admin',
      validation: 'the id is malformed',
      notFound: 'the tenant has no trust anchor with this id',
    }),
    resolve: (_root, { input }, { fleet, actor }) =>
      fleet.credentials.removeAnchor(actor, idOf('TrustAnchor', input.id, 'id')),
  },
  anchorPayload('The removed trust anchor.', 'The removed trust anchor.'),
);

builder.relayMutationField(
  'revokeCertificate',
  {
    description: 'The certificate and the reason: `{ fingerprint: "9f86d081…", reason: "stolen" }`.',
    inputFields: (t) => ({
      fingerprint: t.string({
        required: true,
        description:
          'The SHA-256 of the certificate in hex, with or without colons: `"9f:86:d0:81:88:4c:7d:65:9a:2f:ea:a0:c5:5a:d0:15:a3:bf:4f:1b:2b:0b:82:2c:d1:5d:6c:15:b0:f0:0a:08"`.',
        validate: text({ most: 100 }),
      }),
      reason: t.string({
        required: true,
        description: 'The reason, shown in the handshake log: `"stolen"`.',
        validate: name({ most: 500 }),
      }),
    }),
  },
  {
    description:
      'Revokes a certificate of a device or of an authority, and ends the sessions that depend on it. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('RevokeCertificate', { role: 'admin', validation: 'the fingerprint is not a SHA-256 in hex' }),
    resolve: async (_root, { input }, { fleet, actor }) => {
      await fleet.credentials.revokeCertificate(actor, input);
      return { fingerprint: input.fingerprint.replaceAll(':', '').toLowerCase() };
    },
  },
  {
    description: 'The fingerprint of the revoked certificate.',
    outputFields: (
      t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, { fingerprint: string }>,
    ) => ({
      fingerprint: t.exposeString('fingerprint', { description: 'The SHA-256 of the certificate, 64 hex digits.' }),
    }),
  },
);
