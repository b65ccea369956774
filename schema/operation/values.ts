import { builder } from '../builder.ts';
import { deviceResultUnion } from '../errors.ts';
import {
  AnsweredValueType,
  AS_RPC,
  callFields,
  compositeField,
  exactPath,
  exactPaths,
  formatField,
  perform,
} from './call.ts';
import { rpcPayloadField } from '../rpc/rpc.ts';
import { answerOf } from '../rpc/rpc-result.ts';
import { integer, list, text } from '../rules.ts';
import { LIMITS } from '../../src/fleet/index.ts';

const fewValues = list('values', { least: 1, most: LIMITS.values });

builder.relayMutationField(
  'readResources',
  {
    description: 'The device and the paths: `{ deviceId: "…", paths: ["/3/0/9", "/3303/0"] }`.',
    inputFields: (t) => ({
      paths: t.field({
        type: ['ResourcePath'],
        required: true,
        description:
          'Paths of objects, instances, resources or resource instances: `["/3/0/9", "/3303/0"]`. `["/"]` reads all values of the device (LwM2M 1.1).',
        validate: exactPaths,
      }),
      contentFormat: formatField(t),
      withoutAccept: t.boolean({
        defaultValue: false,
        description:
          'True: requests one path without an Accept option. The device chooses the format, and `rpc.result.contentFormat` has it. Not allowed together with contentFormat. Absent or null: false.',
      }),
      composite: compositeField(t),
      ...callFields(t),
    }),
  },
  {
    description: `Reads current values from the device (Read, Core §6.3.1). Several paths become one Read-Composite if the device supports it, otherwise several Reads. ${AS_RPC}`,
    authScopes: { operator: true },
    errors: deviceResultUnion('ReadResources', 'a path can’t be read, or the content format is invalid'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'read',
        paths: input.paths,
        contentFormat: input.contentFormat,
        withoutAccept: input.withoutAccept ?? false,
        composite: input.composite,
      }),
  },
  {
    description: 'The recorded Read and its values.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      values: t.field({
        type: [AnsweredValueType],
        description: 'The values of the device’s response; empty until it has responded.',
        resolve: (rpc) => [...answerOf(rpc).values],
      }),
    }),
  },
);

const WriteMode = builder.enumType('WriteMode', {
  description: 'What happens to values that a Write does not contain (Core §6.3.3). The default is REPLACE.',
  values: {
    REPLACE: {
      description:
        'Writes each path separately (PUT). A multiple resource loses the instances that the Write does not contain; nothing else changes.',
    },
    UPDATE: {
      description:
        'Writes the values of an object instance together (POST). Everything that the Write does not contain stays, also instances of a multiple resource. Values of several object instances become one Write-Composite if the device supports it, otherwise several Writes.',
    },
  },
});

const WriteValueInput = builder.inputType('WriteValueInput', {
  description: 'A path and its new value: `{ path: "/3/0/14", value: "+01:00" }`.',
  fields: (t) => ({
    path: t.field({
      type: 'ResourcePath',
      required: true,
      description: 'The path of a resource or a resource instance: `"/3/0/14"`.',
      validate: exactPath,
    }),
    value: t.field({
      type: 'ResourceValue',
      required: true,
      description: 'The value, in the JSON form of the resource’s type: `"+01:00"`.',
    }),
  }),
});

builder.relayMutationField(
  'writeResources',
  {
    description: 'The device and the values: `{ deviceId: "…", values: [{ path: "/3/0/14", value: "+01:00" }] }`.',
    inputFields: (t) => ({
      values: t.field({
        type: [WriteValueInput],
        required: true,
        description: 'The paths with their new values: `[{ path: "/3/0/14", value: "+01:00" }]`.',
        validate: fewValues,
      }),
      force: t.boolean({
        defaultValue: false,
        description:
          'True: also sends values that violate the definition of their resource: it is not writable, or the value is outside of its range. Absent or null: false.',
      }),
      mode: t.field({
        type: WriteMode,
        defaultValue: 'REPLACE',
        description: 'What happens to values that the Write does not contain: `REPLACE`. Absent or null: `REPLACE`.',
      }),
      contentFormat: formatField(t),
      composite: compositeField(t),
      ...callFields(t),
    }),
  },
  {
    description: `Writes values to the device (Write, Core §6.3.3). \`mode\` says whether several paths become one request or several. ${AS_RPC}`,
    authScopes: { operator: true },
    errors: deviceResultUnion('WriteResources', 'a resource is not writable, or a value does not fit its type'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'write',
        values: input.values,
        mode: input.mode ?? 'REPLACE',
        force: input.force ?? false,
        contentFormat: input.contentFormat,
        composite: input.composite,
      }),
  },
  { description: 'The recorded Write.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);

const ExecuteArgumentInput = builder.inputType('ExecuteArgumentInput', {
  description: 'An argument of an Execute. Example: `{ digit: 0, value: "http://fw.example.com/1" }`.',
  fields: (t) => ({
    digit: t.int({
      required: true,
      description: 'The argument’s number; each at most once: `0`.',
      validate: integer(0, 9),
    }),
    value: t.string({
      description:
        'The argument\'s value: printable ASCII without `\'`: `"5"`. Absent or null: an argument without a value.',
      validate: text({ least: 0, most: 1024 }),
    }),
  }),
});

/** Each argument once. */
const ARGUMENTS = list<{ readonly digit: number }>('arguments', { most: 10 }, undefined, (all) => {
  const twice = all.findIndex(({ digit }, at) => all.findIndex((one) => one.digit === digit) < at);
  const digit = all[twice]?.digit;
  return digit === undefined ? [] : [{ message: `${digit} occurs twice`, path: [String(twice), 'digit'] }];
});

builder.relayMutationField(
  'executeResource',
  {
    description: 'The device and the resource: `{ deviceId: "…", path: "/3/0/4" }`.',
    inputFields: (t) => ({
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'The path of an executable resource: `"/3/0/4"` (Reboot).',
        validate: exactPath,
      }),
      arguments: t.field({
        type: [ExecuteArgumentInput],
        description: 'The arguments (Core §6.3.5): `[{ digit: 0, value: "5" }]`. Absent or null: none.',
        validate: ARGUMENTS,
      }),
      ...callFields(t),
    }),
  },
  {
    description: `Executes a resource of the device (Execute, Core §6.3.5). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: deviceResultUnion('ExecuteResource', 'the resource is not executable, or an argument is invalid'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'execute',
        path: input.path,
        arguments: input.arguments
          ? Object.fromEntries(input.arguments.map(({ digit, value }) => [String(digit), value ?? null]))
          : null,
      }),
  },
  { description: 'The recorded Execute.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);
