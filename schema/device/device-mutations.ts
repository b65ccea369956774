import * as z from 'zod';
import type { Device, IssuedCredential } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import {
  CredentialInput,
  DeviceCredentialType,
  newCredential,
  PskSecretType,
  within,
} from '../credential/credential.ts';
import { resultUnion } from '../errors.ts';
import { encodeGlobalId, idOf } from '../global-id.ts';
import { DeviceNode } from '../nodes.ts';

const awakeTime = z.number().int().min(1).max(86_400).nullish();
const name = z.string().trim().min(1, 'is empty').max(255, 'is longer than 255 characters').nullish();
const tags = z
  .array(z.string().trim().min(1, 'is empty').max(64, 'is longer than 64 characters'))
  .max(50, 'has more than 50 tags')
  .nullish();

interface Provisioned {
  readonly device: Device;
  readonly issued: IssuedCredential | null;
}

type PayloadFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Device>;

const devicePayload = (description: string) => ({
  description: 'The mutation was done.',
  outputFields: (t: PayloadFields) => ({
    device: t.field({ type: DeviceNode, description, resolve: (device) => device }),
  }),
});

builder.relayMutationField(
  'provisionDevice',
  {
    description: 'A new device: `{ endpoint: "urn:imei:123", name: "Boiler room", tags: ["berlin"] }`.',
    inputFields: (t) => ({
      endpoint: t.string({
        required: true,
        description: 'The LwM2M endpoint name that it will register with, unique in the tenant: `"urn:imei:123"`.',
        validate: z.string().min(1, 'is empty').max(255, 'is longer than 255 characters'),
      }),
      name: t.string({ description: 'Its name among people: `"Boiler room"`.', validate: name }),
      tags: t.stringList({ description: 'Its tags, at most 50: `["berlin", "roof"]`.', validate: tags }),
      profileId: t.id({ description: 'Its profile: global id or plain UUID. Absent: the tenant’s default.' }),
      awakeTime: t.int({
        description:
          'Seconds that it stays awake after its last message, in queue mode, 1 to 86400: `60`. Null: as its profile says.',
        validate: awakeTime,
      }),
      security: t.field({
        type: CredentialInput,
        description:
          'What it shall prove itself with over DTLS; then it can’t register without security. Absent: nothing yet.',
      }),
    }),
  },
  {
    description: 'Makes a device known before it registers. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('ProvisionDevice'),
    resolve: async (
      _root,
      { input: { profileId, security, ...described } },
      { fleet, actor },
    ): Promise<Provisioned> => {
      const input = {
        ...described,
        profileId: profileId == null ? null : idOf('DeviceProfile', profileId, 'profileId'),
      };
      if (!security) return { device: await fleet.devices.provision(actor, input), issued: null };
      return fleet.devices
        .provisionSecured(actor, input, newCredential(security, 'security'))
        .catch(within('security'));
    },
  },
  {
    description: 'The mutation was done.',
    outputFields: (t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Provisioned>) => ({
      device: t.field({ type: DeviceNode, description: 'The new device.', resolve: ({ device }) => device }),
      credential: t.field({
        type: DeviceCredentialType,
        nullable: true,
        description: 'Its first credential; null when no `security` was asked for.',
        resolve: ({ issued }) => issued?.credential,
      }),
      secret: t.field({
        type: PskSecretType,
        nullable: true,
        description:
          'What the device must be given, shown this once; null without a PSK. Give it to the device: it can’t be read again.',
        resolve: ({ issued }) => issued?.secret,
      }),
    }),
  },
);

builder.relayMutationField(
  'updateDevice',
  {
    description: 'What shall change; what is left out stays.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'The device’s global id, or its plain UUID.' }),
      name: t.string({ description: 'Its new name: `"Boiler room"`; null takes it away.', validate: name }),
      tags: t.stringList({
        description: 'All its tags from now on: `["berlin"]`; null takes them away.',
        validate: tags,
      }),
      profileId: t.id({ description: 'Its new profile: global id or plain UUID; null: it keeps its own.' }),
      awakeTime: t.int({
        description:
          'Seconds that it stays awake after its last message, in queue mode, 1 to 86400: `60`. Null: as its profile says.',
        validate: awakeTime,
      }),
    }),
  },
  {
    description: 'Changes what the platform knows of a device; a new profile takes effect at once. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('UpdateDevice'),
    resolve: (_root, { input: { id, profileId, ...changes } }, { fleet, actor }) =>
      fleet.devices.update(actor, idOf('Device', id, 'id'), {
        ...changes,
        ...(profileId !== undefined && {
          profileId: profileId === null ? null : idOf('DeviceProfile', profileId, 'profileId'),
        }),
      }),
  },
  devicePayload('The device as it is now.'),
);

builder.relayMutationField(
  'deleteDevice',
  {
    description: 'Which device.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'The device’s global id, or its plain UUID.' }) }),
  },
  {
    description:
      'Forgets a device: its registration ends, its RPCs are cancelled, everything known of it is deleted. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('DeleteDevice'),
    resolve: (_root, { input }, { fleet, actor }) => fleet.devices.delete(actor, idOf('Device', input.id, 'id')),
  },
  {
    description: 'The mutation was done.',
    outputFields: (t) => ({
      id: t.id({
        description: 'The global id that the device had.',
        resolve: (device) => encodeGlobalId('Device', device.id),
      }),
      deviceId: t.expose('id', { type: 'UUID', description: 'The plain id that the device had.' }),
      endpoint: t.exposeString('endpoint', { description: 'The endpoint name that it had: `"urn:imei:123"`.' }),
    }),
  },
);
