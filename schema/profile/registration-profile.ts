import type { RegistrationProfile } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { connection, pageRequest } from '../page.ts';

const PROFILE_ID = 'The Profile ID as devices send it in `pid`: `"6:1234abcd"`, `"oma:…"` or `"v:…"`.';

const RegistrationProfileType = builder.objectRef<RegistrationProfile>('RegistrationProfile').implement({
  description:
    'The objects that a Profile ID of LwM2M 1.2 stands for: a device that has just these registers with the id in place of the list. Not to be mistaken for a `DeviceProfile`.',
  fields: (t) => ({
    profileId: t.exposeString('profileId', { description: PROFILE_ID }),
    links: t.exposeString('links', {
      description: 'The list that it stands for, in link format: `"</1/0>,</3/0>,</3303/0>;ver=1.1"`.',
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last set.' }),
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
      description: 'The Profile IDs that the tenant’s devices may register with, by ascending id.',
      resolve: async (_root, page, { fleet, actor }) =>
        connection(await fleet.registrationProfiles.page(actor, pageRequest(page))),
    },
    { name: 'RegistrationProfileConnection', description: 'A page of registration profiles.' },
    { name: 'RegistrationProfileEdge', description: 'A registration profile and its place in the list.' },
  ),
);

builder.relayMutationField(
  'setRegistrationProfile',
  {
    description: 'A Profile ID and its objects: `{ profileId: "6:1234abcd", links: "</1/0>,</3/0>" }`.',
    inputFields: (t) => ({
      profileId: t.string({ required: true, description: PROFILE_ID }),
      links: t.string({
        required: true,
        description:
          'The list of objects and object instances, as the body of a Register has it: `"</1/0>,</3/0>,</3303/0>;ver=1.1"`. At most 16384 characters.',
      }),
    }),
  },
  {
    description:
      'Says what a Profile ID stands for, from the next Register on; it replaces what was said before. A device that registers with an unknown one is answered 4.09, and registers with its whole list. A tenant has at most 1000. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('SetRegistrationProfile'),
    resolve: (_root, { input }, { fleet, actor }) => fleet.registrationProfiles.set(actor, input),
  },
  payload('The Profile ID is known.', 'The registration profile as it is now.'),
);

builder.relayMutationField(
  'deleteRegistrationProfile',
  {
    description: 'Which Profile ID.',
    inputFields: (t) => ({ profileId: t.string({ required: true, description: PROFILE_ID }) }),
  },
  {
    description:
      'Forgets what a Profile ID stands for; devices that are registered with it stay registered. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('DeleteRegistrationProfile'),
    resolve: (_root, { input }, { fleet, actor }) => fleet.registrationProfiles.delete(actor, input.profileId),
  },
  payload('The Profile ID is unknown again.', 'The registration profile as it was.'),
);
