import type { RegistrationProfile } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { ifUpdatedAtField } from '../edit.ts';
import { resultUnion } from '../errors.ts';
import { connection, pageRequest } from '../page.ts';
import { text } from '../rules.ts';

const PROFILE_ID = 'The Profile ID that devices send in the parameter `pid` of a Register: `"6:1234abcd"`.';

const RegistrationProfileType = builder.objectRef<RegistrationProfile>('RegistrationProfile').implement({
  description:
    'The list of objects behind a Profile ID (LwM2M 1.2). A device with exactly these objects can send the short id in its Register instead of the list. It is not related to `DeviceProfile`.',
  fields: (t) => ({
    profileId: t.exposeString('profileId', { description: PROFILE_ID }),
    links: t.exposeString('links', {
      description: 'The objects and object instances, in link format: `"</1/0>,</3/0>,</3303/0>;ver=1.1"`.',
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the registration profile was last set.' }),
  }),
});

type PayloadFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, RegistrationProfile>;

const payload = (done: string, description: string) => ({
  description: done,
  outputFields: (t: PayloadFields) => ({
    registrationProfile: t.field({
      type: RegistrationProfileType,
      description,
      resolve: (profile) => profile,
    }),
  }),
});

builder.queryField('registrationProfiles', (t) =>
  t.connection(
    {
      type: RegistrationProfileType,
      description: 'Lists the Profile IDs that the tenant’s devices can register with, by ascending id.',
      resolve: async (_root, page, { fleet, actor }) =>
        connection(await fleet.registrationProfiles.page(actor, pageRequest(page))),
    },
    { name: 'RegistrationProfileConnection', description: 'A page of registration profiles.' },
    { name: 'RegistrationProfileEdge', description: 'A registration profile and its cursor.' },
  ),
);

builder.relayMutationField(
  'setRegistrationProfile',
  {
    description: 'The Profile ID and its objects: `{ profileId: "6:1234abcd", links: "</1/0>,</3/0>" }`.',
    inputFields: (t) => ({
      profileId: t.string({ required: true, description: PROFILE_ID, validate: text({ most: 255 }) }),
      links: t.string({
        required: true,
        description:
          'The objects and object instances, in the link format of a Register: `"</1/0>,</3/0>,</3303/0>;ver=1.1"`.',
        validate: text({ most: 16_384 }),
      }),
      ifUpdatedAt: ifUpdatedAtField(t, 'the registration profile'),
    }),
  },
  {
    description:
      'Creates or replaces a registration profile; it applies to the next Register. A device that registers with an unknown Profile ID gets 4.09 and then registers with its complete list. A tenant can have 1000. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('SetRegistrationProfile', {
      role: 'admin',
      validation: 'the Profile ID or the links are malformed, or the tenant already has 1000 registration profiles',
      conflict: 'the registration profile was changed since `ifUpdatedAt`',
    }),
    resolve: (_root, { input: { ifUpdatedAt, ...profile } }, { fleet, actor }) =>
      fleet.registrationProfiles.set(actor, profile, ifUpdatedAt),
  },
  payload('The new registration profile.', 'The registration profile after the change.'),
);

builder.relayMutationField(
  'deleteRegistrationProfile',
  {
    description: 'The Profile ID to delete.',
    inputFields: (t) => ({
      profileId: t.string({ required: true, description: PROFILE_ID, validate: text({ most: 255 }) }),
    }),
  },
  {
    description:
      'Deletes a registration profile. Devices that are registered with it stay registered. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('DeleteRegistrationProfile', {
      role: 'admin',
      validation: 'the Profile ID is malformed',
      notFound: 'the tenant has no such Profile ID',
    }),
    resolve: (_root, { input }, { fleet, actor }) => fleet.registrationProfiles.delete(actor, input.profileId),
  },
  payload('The deleted registration profile.', 'The deleted registration profile.'),
);
