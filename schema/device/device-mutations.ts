import { LIMITS, type Device, type IssuedCredential } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import {
  CredentialInput,
  DeviceCredentialType,
  newCredential,
  PskSecretType,
  within,
} from '../credential/credential.ts';
import { ifUpdatedAtField } from '../edit.ts';
import { resultUnion } from '../errors.ts';
import { encodeGlobalId, idOf } from '../global-id.ts';
import { DeviceNode } from '../nodes.ts';
import { integer, list, NAME, name, text } from '../rules.ts';

const awakeTime = integer(1, LIMITS.awakeTime);
const tags = list('tags', { most: LIMITS.tags }, name({ most: LIMITS.tag }));

interface Provisioned {
  readonly device: Device;
  readonly issued: IssuedCredential | null;
}

type PayloadFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Device>;

const devicePayload = (description: string) => ({
  description: 'The changed device.',
  outputFields: (t: PayloadFields) => ({
    device: t.field({ type: DeviceNode, description, resolve: (device) => device }),
  }),
});

builder.relayMutationField(
  'provisionDevice',
  {
    description: 'The new device: `{ endpoint: "urn:imei:123", name: "Boiler room", tags: ["berlin"] }`.',
    inputFields: (t) => ({
      endpoint: t.string({
        required: true,
        description:
          'The LwM2M endpoint name with which the device will register, unique in the tenant: `"urn:imei:123"`.',
        validate: text({ most: 252 }),
      }),
      name: t.string({ description: 'A name for people: `"Boiler room"`. Absent or null: no name.', validate: NAME }),
      tags: t.stringList({
        description: 'Labels for filtering: `["berlin", "roof"]`. Absent or null: none.',
        validate: tags,
      }),
      profileId: t.id({
        description: 'The device’s profile: global id or UUID. Absent or null: the tenant’s default profile.',
      }),
      awakeTime: t.int({
        description:
          'Queue mode: seconds that the device stays awake after its last message: `60`. Absent or null: the profile’s value applies.',
        validate: awakeTime,
      }),
      security: t.field({
        type: CredentialInput,
        description:
          'The device’s DTLS credential: `{ psk: {} }`. The device then can’t register without security. Absent or null: no credential.',
      }),
    }),
  },
  {
    description: 'Creates a device before it registers. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('ProvisionDevice', {
      role: 'admin',
      validation: 'a field is invalid, or the tenant has no profile with this id',
      conflict: 'another device has this endpoint, or another credential has this PSK identity',
    }),
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
    description: 'The new device and its credential.',
    outputFields: (t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Provisioned>) => ({
      device: t.field({ type: DeviceNode, description: 'The new device.', resolve: ({ device }) => device }),
      credential: t.field({
        type: DeviceCredentialType,
        nullable: true,
        description: 'The device’s credential; null if the input has no `security`.',
        resolve: ({ issued }) => issued?.credential,
      }),
      secret: t.field({
        type: PskSecretType,
        nullable: true,
        description:
          'The PSK identity and key to configure on the device. Store them now: the API can’t show the key again. Null without a PSK.',
        resolve: ({ issued }) => issued?.secret,
      }),
    }),
  },
);

builder.relayMutationField(
  'updateDevice',
  {
    description: 'The fields to change; absent fields stay unchanged. Example: `{ id: "…", tags: ["berlin"] }`.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'The device’s global id or UUID.' }),
      ifUpdatedAt: ifUpdatedAtField(t, 'the device'),
      name: t.string({
        description: 'The new name: `"Boiler room"`. Absent: unchanged. Null: the name is removed.',
        validate: NAME,
      }),
      tags: t.stringList({
        description:
          'The complete new list of tags: `["berlin"]`. Absent: unchanged. Null or `[]`: all tags are removed.',
        validate: tags,
      }),
      profileId: t.id({
        description: 'The new profile: global id or UUID. Absent: unchanged. Null: the tenant’s default profile.',
      }),
      awakeTime: t.int({
        description:
          'Queue mode: seconds that the device stays awake after its last message: `60`. Absent: unchanged. Null: the profile’s value applies.',
        validate: awakeTime,
      }),
    }),
  },
  {
    description: 'Changes a device. A new profile applies immediately. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('UpdateDevice', {
      role: 'admin',
      validation: 'a field is invalid, or the tenant has no profile with this id',
      notFound: 'the tenant has no device with this id',
      conflict: 'the device was changed since `ifUpdatedAt`',
    }),
    resolve: (_root, { input: { id, ifUpdatedAt, profileId, ...changes } }, { fleet, actor }) =>
      fleet.devices.update(
        actor,
        idOf('Device', id, 'id'),
        {
          ...changes,
          ...(profileId !== undefined && {
            profileId: profileId === null ? null : idOf('DeviceProfile', profileId, 'profileId'),
          }),
        },
        ifUpdatedAt,
      ),
  },
  devicePayload('The device after the change.'),
);

builder.relayMutationField(
  'deleteDevice',
  {
    description: 'The device to delete.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'The device’s global id or UUID.' }) }),
  },
  {
    description:
      'Deletes a device: ends its registration, sets its open RPCs to DELETED and deletes all its data. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('DeleteDevice', {
      role: 'admin',
      validation: 'the id is malformed',
      notFound: 'the tenant has no device with this id',
    }),
    resolve: (_root, { input }, { fleet, actor }) => fleet.devices.delete(actor, idOf('Device', input.id, 'id')),
  },
  {
    description: 'The ids of the deleted device.',
    outputFields: (t) => ({
      id: t.id({
        description: 'The global id of the deleted device.',
        resolve: (device) => encodeGlobalId('Device', device.id),
      }),
      deviceId: t.expose('id', { type: 'UUID', description: 'The UUID of the deleted device.' }),
      endpoint: t.exposeString('endpoint', {
        description: 'The endpoint name of the deleted device: `"urn:imei:123"`.',
      }),
    }),
  },
);
