import type { Link } from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';
import { deviceResultUnion } from '../errors.ts';
import { NotificationAttributesInput } from '../object/notification-attributes.ts';
import { AnsweredValueType, AS_RPC, callFields, exactPath, exactPaths, formatField, perform } from './call.ts';
import { rpcPayloadField } from '../rpc/rpc.ts';
import { answerOf } from '../rpc/rpc-result.ts';
import { integer } from '../rules.ts';

const LinkAttribute = builder.objectRef<readonly [string, string | null]>('LinkAttribute').implement({
  description: 'An attribute of a link. Example: `pmin=10`.',
  fields: (t) => ({
    name: t.string({ description: 'The attribute’s name: `"pmin"`.', resolve: ([name]) => name }),
    value: t.string({
      nullable: true,
      description: 'The attribute’s value: `"10"`; null if it has none.',
      resolve: ([, value]) => value,
    }),
  }),
});

const DiscoveredLink = builder.objectRef<Link>('DiscoveredLink').implement({
  description: 'A path that the device listed in response to Discover, with its attributes (RFC 6690).',
  fields: (t) => ({
    uri: t.exposeString('uri', { description: 'The path: `"/3303/0/5700"`.' }),
    attributes: t.field({
      type: [LinkAttribute],
      description: 'The attributes, in the order of the device’s response.',
      resolve: ({ attributes }) => Object.entries(attributes),
    }),
  }),
});

builder.relayMutationField(
  'discoverResources',
  {
    description: 'The device and the path: `{ deviceId: "…", path: "/3303" }`.',
    inputFields: (t) => ({
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'The path of an object, an instance or a resource: `"/3303"`. No LwM2M version allows `/`.',
        validate: exactPath,
      }),
      depth: t.int({
        description:
          'How many levels below the path are listed (LwM2M 1.2): `1`. Absent or null: the default of the standard.',
        validate: integer(0, 3),
      }),
      ...callFields(t),
    }),
  },
  {
    description: `Lists the instances and resources that the device has below a path, with their attributes (Discover, Core §6.3.2). \`Device.objects\` then has them, and no others. ${AS_RPC}`,
    authScopes: { operator: true },
    errors: deviceResultUnion('DiscoverResources', 'the path or the depth is invalid'),
    resolve: (_root, { input }, context) =>
      perform(context, input, { kind: 'discover', path: input.path, depth: input.depth }),
  },
  {
    description: 'The recorded Discover and the paths that the device listed.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      links: t.field({
        type: [DiscoveredLink],
        description: 'The paths that the device listed; empty until it has responded.',
        resolve: (rpc) => [...answerOf(rpc).links],
      }),
    }),
  },
);

builder.relayMutationField(
  'writeAttributes',
  {
    description:
      'The device, the path and the attributes: `{ deviceId: "…", path: "/3303/0/5700", attributes: { pmin: 10 } }`.',
    inputFields: (t) => ({
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'The path of an object, an instance, a resource or a resource instance: `"/3303/0/5700"`.',
        validate: exactPath,
      }),
      attributes: t.field({
        type: NotificationAttributesInput,
        required: true,
        description: 'The attributes to set: `{ pmin: 10, pmax: 300 }`. An attribute that is null is removed.',
      }),
      ...callFields(t),
    }),
  },
  {
    description: `Sets notification attributes on the device (Write-Attributes, Core §6.3.4). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: deviceResultUnion(
      'WriteAttributes',
      'the path is invalid, or the attributes contradict each other or do not fit the path',
    ),
    resolve: (_root, { input }, context) =>
      perform(context, input, { kind: 'write-attributes', path: input.path, attributes: input.attributes }),
  },
  { description: 'The recorded Write-Attributes.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);

builder.relayMutationField(
  'observeResources',
  {
    description: 'The device and the paths: `{ deviceId: "…", paths: ["/3303/0/5700"] }`.',
    inputFields: (t) => ({
      paths: t.field({
        type: ['ResourcePath'],
        required: true,
        description:
          'The paths: `["/3303/0/5700"]`. Several paths need LwM2M 1.1 and become one Observe-Composite; a device that refuses it gets one Observe for each path.',
        validate: exactPaths,
      }),
      attributes: t.field({
        type: NotificationAttributesInput,
        description:
          'When the device notifies: `{ pmin: 10 }`. A device with LwM2M 1.2 gets the attributes in the Observe request; other devices get a Write-Attributes before it. Absent or null: the attributes of the device stay.',
      }),
      contentFormat: formatField(t),
      ...callFields(t),
    }),
  },
  {
    description: `Starts an observation that is active until \`cancelObservation\`, also after the device registers again (Observe, Core §6.4.1). To show live values in a user interface, subscribe to \`resourceChanged\` instead. ${AS_RPC}`,
    authScopes: { operator: true },
    errors: deviceResultUnion('ObserveResources', 'a path can’t be observed, or the attributes are invalid'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'observe',
        paths: input.paths,
        attributes: input.attributes,
        contentFormat: input.contentFormat,
      }),
  },
  {
    description: 'The recorded Observe and the first values.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      values: t.field({
        type: [AnsweredValueType],
        description: 'The current values from the device’s response; empty until it has responded.',
        resolve: (rpc) => [...answerOf(rpc).values],
      }),
    }),
  },
);

builder.relayMutationField(
  'cancelObservation',
  {
    description: 'The device and the paths of the observation: `{ deviceId: "…", paths: ["/3303/0/5700"] }`.',
    inputFields: (t) => ({
      paths: t.field({
        type: ['ResourcePath'],
        required: true,
        description: 'The same paths as in `observeResources`: `["/3303/0/5700"]`.',
        validate: exactPaths,
      }),
      passive: t.boolean({
        description:
          'False: sends a cancel request to the device now. True: answers the next notification with a Reset (RFC 7641 §3.6). Absent or null: false.',
      }),
      ...callFields(t),
    }),
  },
  {
    description: `Ends an observation (Cancel Observation, Core §6.4.3). An observation that the profile or a subscription needs also ends; it starts again with the device’s next Register or with a new subscription. ${AS_RPC}`,
    authScopes: { operator: true },
    errors: deviceResultUnion('CancelObservation', 'a path is invalid'),
    resolve: (_root, { input }, context) =>
      perform(context, input, { kind: 'cancel-observation', paths: input.paths, passive: input.passive }),
  },
  { description: 'The recorded Cancel Observation.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);
