import * as z from 'zod';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { AS_RPC, callFields, exactPath, formatField, perform } from './call.ts';
import { rpcPayloadField } from '../rpc/rpc.ts';
import { answerOf } from '../rpc/rpc-result.ts';

const InstanceValueInput = builder.inputType('InstanceValueInput', {
  description: 'A value of a new instance: `{ path: "5850", value: true }`.',
  fields: (t) => ({
    path: t.string({
      required: true,
      description: 'The resource id, and after a slash the resource instance’s where there is one: `"5850"`, `"6/0"`.',
      validate: z.string().regex(/^\d{1,5}(?:\/\d{1,5})?$/, 'is neither a resource id nor resource/instance'),
    }),
    value: t.field({
      type: 'ResourceValue',
      required: true,
      description: 'The value, by the resource’s type: `true`.',
    }),
  }),
});

builder.relayMutationField(
  'createInstance',
  {
    description:
      'What is created on which device: `{ deviceId: "…", objectId: 3311, values: [{ path: "5850", value: true }] }`.',
    inputFields: (t) => ({
      objectId: t.int({
        required: true,
        description: 'The object: `3311`.',
        validate: z.number().int().min(0).max(65_534),
      }),
      instanceId: t.int({
        description: 'The new instance’s id: `1`. Absent: the device chooses.',
        validate: z.number().int().min(0).max(65_534).nullish(),
      }),
      values: t.field({
        type: [InstanceValueInput],
        required: true,
        description: 'Its values, at most 100; `[]` for none.',
        validate: z.array(z.unknown()).max(100, 'has more than 100 values'),
      }),
      contentFormat: formatField(t),
      ...callFields(t),
    }),
  },
  {
    description: `Creates an instance of an object on the device (Create, Core §6.3.6). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('CreateInstance', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'create',
        objectId: input.objectId,
        instanceId: input.instanceId,
        values: input.values,
        contentFormat: input.contentFormat,
      }),
  },
  {
    description: 'The Create was recorded.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      instanceId: t.int({
        nullable: true,
        description: 'The id of the new instance: `1`; null while the device has not told it.',
        resolve: (rpc) => answerOf(rpc).createdInstanceId,
      }),
    }),
  },
);

builder.relayMutationField(
  'deleteInstance',
  {
    description: 'What is deleted on which device: `{ deviceId: "…", path: "/3311/1" }`.',
    inputFields: (t) => ({
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'An object instance, `"/3311/1"`, or a resource instance (LwM2M 1.2), `"/3/0/6/1"`.',
        validate: exactPath,
      }),
      ...callFields(t),
    }),
  },
  {
    description: `Deletes an instance on the device (Delete, Core §6.3.7). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('DeleteInstance', 'device'),
    resolve: (_root, { input }, context) => perform(context, input, { kind: 'delete', path: input.path }),
  },
  { description: 'The Delete was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);
