import * as z from 'zod';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { AnsweredValueType, AS_RPC, callFields, exactPath, exactPaths, formatField, perform } from './call.ts';
import { rpcPayloadField } from '../rpc/rpc.ts';
import { answerOf } from '../rpc/rpc-result.ts';

const fewValues = z.array(z.unknown()).min(1, 'is empty').max(100, 'has more than 100 values');

builder.relayMutationField(
  'readResources',
  {
    description: 'What is read from which device: `{ deviceId: "…", paths: ["/3/0/9", "/3303/0"] }`.',
    inputFields: (t) => ({
      paths: t.field({
        type: ['ResourcePath'],
        required: true,
        description:
          'Up to 100 objects, instances, resources or resource instances: `["/3/0/9", "/3303/0"]`; `["/"]` for all that the device has (LwM2M 1.1).',
        validate: exactPaths,
      }),
      contentFormat: formatField(t),
      withoutAccept: t.boolean({
        defaultValue: false,
        description:
          'Asks for one path without naming a format: the device answers in the one it prefers, and `rpc.result.contentFormat` says which. Excludes contentFormat.',
      }),
      ...callFields(t),
    }),
  },
  {
    description: `Reads from the device (Read, Core §6.3.1); several paths at once (Read-Composite) where the device can. ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('ReadResources', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'read',
        paths: input.paths,
        contentFormat: input.contentFormat,
        withoutAccept: input.withoutAccept,
      }),
  },
  {
    description: 'The Read was recorded.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      values: t.field({
        type: [AnsweredValueType],
        description: 'What the device answered; empty while it has not.',
        resolve: (rpc) => [...answerOf(rpc).values],
      }),
    }),
  },
);

const WriteMode = builder.enumType('WriteMode', {
  description: 'What becomes of what a Write does not name (Core §6.3.3).',
  values: {
    REPLACE: {
      description:
        'Each path is written on its own (PUT): a multiple resource loses the instances that are not named, nothing else changes.',
    },
    UPDATE: {
      description:
        'The values of an instance go together (POST); what is not named stays, resource instances too. Several instances at once need Write-Composite.',
    },
  },
});

const WriteValueInput = builder.inputType('WriteValueInput', {
  description: 'A value and where it goes: `{ path: "/3/0/14", value: "+01:00" }`.',
  fields: (t) => ({
    path: t.field({
      type: 'ResourcePath',
      required: true,
      description: 'A resource or a resource instance: `"/3/0/14"`.',
      validate: exactPath,
    }),
    value: t.field({
      type: 'ResourceValue',
      required: true,
      description: 'The value, by the resource’s type: `"+01:00"`.',
    }),
  }),
});

builder.relayMutationField(
  'writeResources',
  {
    description:
      'What is written to which device: `{ deviceId: "…", values: [{ path: "/3/0/14", value: "+01:00" }] }`.',
    inputFields: (t) => ({
      values: t.field({
        type: [WriteValueInput],
        required: true,
        description: 'Up to 100 values and where they go.',
        validate: fewValues,
      }),
      mode: t.field({
        type: WriteMode,
        defaultValue: 'REPLACE',
        description: 'What becomes of what is not named: `UPDATE`.',
      }),
      contentFormat: formatField(t),
      ...callFields(t),
    }),
  },
  {
    description: `Writes to the device (Write, Core §6.3.3; Write-Composite for several places). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('WriteResources', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'write',
        values: input.values,
        mode: input.mode ?? 'REPLACE',
        contentFormat: input.contentFormat,
      }),
  },
  { description: 'The Write was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);

const ExecuteArgumentInput = builder.inputType('ExecuteArgumentInput', {
  description: 'An argument of an Execute: `{ digit: 0, value: "http://fw.example.com/1" }`.',
  fields: (t) => ({
    digit: t.int({
      required: true,
      description: 'Its number, 0 to 9, each at most once: `0`.',
      validate: z.number().int().min(0).max(9),
    }),
    value: t.string({
      description: "Its text: printable ASCII but `'`. Absent: an argument without a value.",
      validate: z.string().max(1024).nullish(),
    }),
  }),
});

builder.relayMutationField(
  'executeResource',
  {
    description: 'What is executed on which device: `{ deviceId: "…", path: "/3/0/4" }`.',
    inputFields: (t) => ({
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'The executable resource: `"/3/0/4"` reboots.',
        validate: exactPath,
      }),
      arguments: t.field({
        type: [ExecuteArgumentInput],
        description: 'Its arguments (Core §6.3.5): `[{ digit: 0, value: "5" }]`.',
        validate: z
          .array(z.looseObject({ digit: z.number() }))
          .refine((all) => new Set(all.map(({ digit }) => digit)).size === all.length, 'has a digit twice')
          .nullish(),
      }),
      ...callFields(t),
    }),
  },
  {
    description: `Executes a resource of the device (Execute, Core §6.3.5). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('ExecuteResource', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'execute',
        path: input.path,
        arguments: input.arguments
          ? Object.fromEntries(input.arguments.map(({ digit, value }) => [String(digit), value ?? null]))
          : null,
      }),
  },
  { description: 'The Execute was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);
