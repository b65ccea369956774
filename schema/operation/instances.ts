import { builder } from '../builder.ts';
import { deviceResultUnion } from '../errors.ts';
import { AS_RPC, callFields, exactPath, formatField, perform } from './call.ts';
import { rpcPayloadField } from '../rpc/rpc.ts';
import { answerOf } from '../rpc/rpc-result.ts';
import { list, OBJECT_ID, text } from '../rules.ts';
import { LIMITS } from '../../src/fleet/index.ts';

const InstanceValueInput = builder.inputType('InstanceValueInput', {
  description: 'A value of a new instance: `{ path: "5850", value: true }`.',
  fields: (t) => ({
    path: t.string({
      required: true,
      description: 'The resource id: `"5850"`; for a resource instance, both ids: `"6/0"`.',
      validate: text({ most: 11 }, (path) =>
        /^\d{1,5}(?:\/\d{1,5})?$/.test(path) ? null : 'must be a resource id like 5850, or resource/instance like 6/0',
      ),
    }),
    value: t.field({
      type: 'ResourceValue',
      required: true,
      description: 'The value, in the JSON form of the resource’s type: `true`.',
    }),
  }),
});

builder.relayMutationField(
  'createInstance',
  {
    description:
      'The device, the object and the values of the new instance: `{ deviceId: "…", objectId: 3311, values: [{ path: "5850", value: true }] }`.',
    inputFields: (t) => ({
      objectId: t.int({
        required: true,
        description: 'The object’s id: `3311`.',
        validate: OBJECT_ID,
      }),
      instanceId: t.int({
        description: 'The id of the new instance: `1`. Absent or null: the device chooses it.',
        validate: OBJECT_ID,
      }),
      values: t.field({
        type: [InstanceValueInput],
        required: true,
        description: 'The values of the new instance: `[{ path: "5850", value: true }]`; `[]` for none.',
        validate: list('values', { most: LIMITS.values }),
      }),
      force: t.boolean({
        defaultValue: false,
        description: 'True: also sends values outside of the range of their resource. Absent or null: false.',
      }),
      contentFormat: formatField(t),
      ...callFields(t),
    }),
  },
  {
    description: `Creates an object instance on the device (Create, Core §6.3.6). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: deviceResultUnion('CreateInstance', 'the object’s definition does not allow the instance or a value'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'create',
        objectId: input.objectId,
        instanceId: input.instanceId,
        values: input.values,
        force: input.force ?? false,
        contentFormat: input.contentFormat,
      }),
  },
  {
    description: 'The recorded Create and the id of the new instance.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      instanceId: t.int({
        nullable: true,
        description: 'The id of the new instance: `1`; null until the device has responded.',
        resolve: (rpc) => answerOf(rpc).createdInstanceId,
      }),
    }),
  },
);

builder.relayMutationField(
  'deleteInstance',
  {
    description: 'The device and the instance: `{ deviceId: "…", path: "/3311/1" }`.',
    inputFields: (t) => ({
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'The path of an object instance: `"/3311/1"`; from LwM2M 1.2 also of a resource instance.',
        validate: exactPath,
      }),
      ...callFields(t),
    }),
  },
  {
    description: `Deletes an object instance on the device (Delete, Core §6.3.7). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: deviceResultUnion('DeleteInstance', 'the path is not one that can be deleted'),
    resolve: (_root, { input }, context) => perform(context, input, { kind: 'delete', path: input.path }),
  },
  { description: 'The recorded Delete.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);
