import * as z from 'zod';
import type { Link } from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { NotificationAttributesInput } from '../object/notification-attributes.ts';
import { AnsweredValueType, AS_RPC, callFields, exactPath, exactPaths, formatField, perform } from './call.ts';
import { rpcPayloadField } from '../rpc/rpc.ts';
import { answerOf } from '../rpc/rpc-result.ts';

const LinkAttribute = builder.objectRef<readonly [string, string | null]>('LinkAttribute').implement({
  description: 'An attribute of a link: `pmin=10`.',
  fields: (t) => ({
    name: t.string({ description: 'Its name: `"pmin"`, `"ver"`, `"dim"`.', resolve: ([name]) => name }),
    value: t.string({
      nullable: true,
      description: 'Its value: `"10"`; null for one without a value.',
      resolve: ([, value]) => value,
    }),
  }),
});

const DiscoveredLink = builder.objectRef<Link>('DiscoveredLink').implement({
  description: 'A place that the device told on Discover, with its attributes (RFC 6690).',
  fields: (t) => ({
    uri: t.exposeString('uri', { description: 'The place: `"/3303/0/5700"`.' }),
    attributes: t.field({
      type: [LinkAttribute],
      description: 'Its attributes, in the order in which the device told them.',
      resolve: ({ attributes }) => Object.entries(attributes),
    }),
  }),
});

builder.relayMutationField(
  'discoverResources',
  {
    description: 'Where to look on which device: `{ deviceId: "…", path: "/3303" }`.',
    inputFields: (t) => ({
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'An object, an instance or a resource: `"/3303"`.',
        validate: exactPath,
      }),
      depth: t.int({
        description: 'How many levels below the path, 0 to 3 (LwM2M 1.2): `1`. Absent: as the standard has it.',
        validate: z.number().int().min(0).max(3).nullish(),
      }),
      ...callFields(t),
    }),
  },
  {
    description: `Asks the device what it has below a path, and with which attributes (Discover, Core §6.3.2). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('DiscoverResources', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, { kind: 'discover', path: input.path, depth: input.depth }),
  },
  {
    description: 'The Discover was recorded.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      links: t.field({
        type: [DiscoveredLink],
        description: 'What the device has; empty while it has not answered.',
        resolve: (rpc) => [...answerOf(rpc).links],
      }),
    }),
  },
);

builder.relayMutationField(
  'writeAttributes',
  {
    description: 'Which attributes go where: `{ deviceId: "…", path: "/3303/0/5700", attributes: { pmin: 10 } }`.',
    inputFields: (t) => ({
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'An object, an instance, a resource or a resource instance: `"/3303/0/5700"`.',
        validate: exactPath,
      }),
      attributes: t.field({
        type: NotificationAttributesInput,
        required: true,
        description: 'The attributes: `{ pmin: 10, pmax: 300 }`; null unsets one.',
      }),
      ...callFields(t),
    }),
  },
  {
    description: `Sets the attributes by which observations notify (Write-Attributes, Core §6.3.4). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('WriteAttributes', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, { kind: 'write-attributes', path: input.path, attributes: input.attributes }),
  },
  { description: 'The Write-Attributes was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);

builder.relayMutationField(
  'observeResources',
  {
    description: 'What is observed on which device: `{ deviceId: "…", paths: ["/3303/0/5700"] }`.',
    inputFields: (t) => ({
      paths: t.field({
        type: ['ResourcePath'],
        required: true,
        description:
          'Up to 100 paths; several are observed together (Observe-Composite, LwM2M 1.1): `["/3303/0/5700"]`.',
        validate: exactPaths,
      }),
      attributes: t.field({
        type: NotificationAttributesInput,
        description: 'By what it notifies; in the request where the device speaks 1.2, written before it otherwise.',
      }),
      contentFormat: formatField(t),
      ...callFields(t),
    }),
  },
  {
    description: `Observes paths until \`cancelObservation\`, over registrations too (Observe, Core §6.4.1). To watch values while a page is open, subscribe to \`resourceChanged\` instead. ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('ObserveResources', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'observe',
        paths: input.paths,
        attributes: input.attributes,
        contentFormat: input.contentFormat,
      }),
  },
  {
    description: 'The Observe was recorded.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      values: t.field({
        type: [AnsweredValueType],
        description: 'The values at the start, as the device answered; empty while it has not.',
        resolve: (rpc) => [...answerOf(rpc).values],
      }),
    }),
  },
);

builder.relayMutationField(
  'cancelObservation',
  {
    description: 'Which observation of which device: `{ deviceId: "…", paths: ["/3303/0/5700"] }`.',
    inputFields: (t) => ({
      paths: t.field({
        type: ['ResourcePath'],
        required: true,
        description: 'The paths as they were observed: `["/3303/0/5700"]`.',
        validate: exactPaths,
      }),
      passive: t.boolean({
        description:
          'True: the next notification is answered with a Reset instead of asking the device now (RFC 7641 §3.6). Absent: false.',
      }),
      ...callFields(t),
    }),
  },
  {
    description: `Ends an observation (Cancel Observation, Core §6.4.3), also one that the profile or a subscription wants: those begin again with the device’s next Register, or when somebody asks again. ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('CancelObservation', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, { kind: 'cancel-observation', paths: input.paths, passive: input.passive }),
  },
  { description: 'The cancellation was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);
