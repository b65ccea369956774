import * as z from 'zod';
import type { TrustAnchor } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { encodeGlobalId, idOf } from '../global-id.ts';

const TrustAnchorType = builder.objectRef<TrustAnchor>('TrustAnchor').implement({
  description:
    'A certificate authority that the tenant’s devices may be certified by. A device gets in with a certificate below it whose common name is that of one of its X509 credentials.',
  fields: (t) => ({
    id: t.id({
      description: 'Its id, for `removeTrustAnchor`.',
      resolve: ({ id }) => encodeGlobalId('TrustAnchor', id),
    }),
    name: t.exposeString('name', { description: 'Its name among people: `"Factory 2026"`.' }),
    subject: t.exposeString('subject', { description: 'The subject of the certificate: `"CN=Factory Root"`.' }),
    fingerprint: t.exposeString('fingerprint', { description: 'The SHA-256 of the certificate in hex.' }),
    notAfter: t.expose('notAfter', { type: 'DateTime', description: 'When the certificate expires.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was added.' }),
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
    description: 'The certificate authorities that the tenant’s devices may be certified by. For admins.',
    authScopes: { admin: true },
    resolve: async (_root, _args, { fleet, actor }) => [...(await fleet.credentials.anchors(actor))],
  }),
);

builder.relayMutationField(
  'addTrustAnchor',
  {
    description: 'A certificate authority: `{ name: "Factory 2026", certificate: "-----BEGIN CERTIFICATE-----…" }`.',
    inputFields: (t) => ({
      name: t.string({
        required: true,
        description: 'Its name among people: `"Factory 2026"`.',
        validate: z.string().trim().min(1, 'is empty').max(200, 'is longer than 200 characters'),
      }),
      certificate: t.string({
        required: true,
        description: 'Its certificate as PEM, or as DER in base64: `"MIIBszCCAVmgAwIBAgIU…"`.',
        validate: z.string().min(1, 'is empty').max(32_768, 'is longer than 32768 characters'),
      }),
    }),
  },
  {
    description: 'Lets devices in with certificates below this authority. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('AddTrustAnchor'),
    resolve: (_root, { input }, { fleet, actor }) => fleet.credentials.addAnchor(actor, input),
  },
  anchorPayload('The authority was added.', 'The new trust anchor.'),
);

builder.relayMutationField(
  'removeTrustAnchor',
  {
    description: 'Which trust anchor.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'The trust anchor’s id, or its plain UUID.' }) }),
  },
  {
    description: 'Lets nobody in any more with certificates below this authority, and ends their sessions. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('RemoveTrustAnchor'),
    resolve: (_root, { input }, { fleet, actor }) =>
      fleet.credentials.removeAnchor(actor, idOf('TrustAnchor', input.id, 'id')),
  },
  anchorPayload('The authority was removed.', 'The trust anchor as it was.'),
);

builder.relayMutationField(
  'revokeCertificate',
  {
    description: 'Which certificate: `{ fingerprint: "9f86d081…", reason: "stolen" }`.',
    inputFields: (t) => ({
      fingerprint: t.string({
        required: true,
        description:
          'The SHA-256 of the certificate in hex, with or without colons: `"9f:86:d0:81:88:4c:7d:65:9a:2f:ea:a0:c5:5a:d0:15:a3:bf:4f:1b:2b:0b:82:2c:d1:5d:6c:15:b0:f0:0a:08"`.',
        validate: z.string().max(100, 'is longer than 100 characters'),
      }),
      reason: t.string({
        required: true,
        description: 'Why, for the handshake log: `"stolen"`.',
        validate: z.string().trim().min(1, 'is empty').max(500, 'is longer than 500 characters'),
      }),
    }),
  },
  {
    description:
      'Makes one certificate worthless, a device’s or an authority’s, whatever its dates say, and ends the sessions that hang on it. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('RevokeCertificate'),
    resolve: async (_root, { input }, { fleet, actor }) => {
      await fleet.credentials.revokeCertificate(actor, input);
      return { fingerprint: input.fingerprint.replaceAll(':', '').toLowerCase() };
    },
  },
  {
    description: 'The certificate was revoked.',
    outputFields: (
      t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, { fingerprint: string }>,
    ) => ({
      fingerprint: t.exposeString('fingerprint', { description: 'Its SHA-256: 64 hex digits.' }),
    }),
  },
);
