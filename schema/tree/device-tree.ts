import type { ReadingOrigin } from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';
import type { SizedList } from '../list-size.ts';
import {
  ObjectDefinitionType,
  OPERATIONS,
  ResourceDefinitionType,
  ResourceOperation,
  ResourceType,
} from '../object/object-definition.ts';
import type { TreeInstance, TreeObject, TreeResource } from './tree.ts';

/** The version of an object if neither the device nor a definition gives one (default of Core 1.2 §7.2.2). */
const DEFAULT_VERSION = '1.0';

const ReadingSource = builder.enumType('ReadingSource', {
  description: 'How the server received a value.',
  values: {
    READ: { description: 'The device returned it in response to a Read.' },
    NOTIFICATION: { description: 'The device sent it in a notification of an observation.' },
    SEND: { description: 'The device sent it unrequested, with the Send operation (LwM2M 1.1).' },
    WRITE: { description: 'The server wrote it, and the device accepted the write.' },
  } satisfies Record<ReadingOrigin, { description: string }>,
});

export const ResourceObject = builder.objectRef<TreeResource>('Resource').implement({
  description:
    'A resource of a device, with its last value that the server received. Querying it does not contact the device; `readResources` does.',
  fields: (t) => ({
    path: t.field({
      type: 'ResourcePath',
      description: 'The resource’s path: `"/3303/0/5700"`.',
      resolve: ({ state }) => state.path,
    }),
    resourceId: t.int({
      description: 'The resource’s id within the object, 0 to 65534: `5700`.',
      resolve: ({ state }) => state.resourceId,
    }),
    definition: t.field({
      type: ResourceDefinitionType,
      nullable: true,
      description: 'Name, type, operations, range and units of the resource. Null if there is no definition of it.',
      resolve: async ({ state, version }, _args, { load }) => {
        const object = await load.definition(state.objectId, version);
        return object?.resources.find(({ id }) => id === state.resourceId) ?? null;
      },
    }),
    operations: t.field({
      type: [ResourceOperation],
      nullable: true,
      description:
        'The operations that the definition of the resource allows: `[READ, WRITE]`, or `[EXECUTE]` for an action such as Reboot. Null if the resource has no definition.',
      resolve: async ({ state, version }, _args, { load }) => {
        const object = await load.definition(state.objectId, version);
        const found = object?.resources.find(({ id }) => id === state.resourceId);
        return found ? [...OPERATIONS[found.operations]] : null;
      },
    }),
    value: t.field({
      type: 'ResourceValue',
      nullable: true,
      description:
        'The last received value: `22.5`. Null if no value was received: the device has listed the resource in response to a Discover. Null also if the value was larger than 256 KiB and was therefore not stored; `timestamp` then is not null.',
      resolve: ({ state }) => state.value,
    }),
    type: t.field({
      type: ResourceType,
      nullable: true,
      description:
        'The type of the value: `FLOAT`. Null if no value was received, and for a multiple resource without instances.',
      resolve: ({ state }) => state.type,
    }),
    typeGuessed: t.boolean({
      description:
        'True: no definition of the object was available, so the server derived the type from the payload. Upload the definition with `uploadObjectDefinition` to correct this.',
      resolve: ({ state }) => state.typeGuessed,
    }),
    timestamp: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the device measured the value. If the device sent no time: when the value arrived. Null if no value was received.',
      resolve: ({ state }) => state.timestamp,
    }),
    source: t.field({
      type: ReadingSource,
      nullable: true,
      description: 'How the server received the value: `NOTIFICATION`. Null if no value was received.',
      resolve: ({ state }) => state.source,
    }),
  }),
});

const ObjectInstance = builder.objectRef<TreeInstance>('ObjectInstance').implement({
  description: 'An object instance of a device. Example: `/3303/0`, the first temperature sensor.',
  fields: (t) => ({
    instanceId: t.exposeInt('instanceId', { description: 'The instance’s id, 0 to 65534: `0`.' }),
    path: t.field({
      type: 'ResourcePath',
      description: 'The instance’s path: `"/3303/0"`.',
      resolve: ({ objectId, instanceId }) => `/${objectId}/${instanceId}`,
    }),
    resources: t.field({
      type: [ResourceObject],
      description:
        'The resources of which a value was received, and those that the device listed in response to a Discover, by ascending id. `discoverResources(path: "/3303")` completes the list, `readResources(paths: ["/3303/0"])` the values.',
      extensions: { items: 'resources of an instance' satisfies SizedList },
      resolve: ({ resources }) => [...resources],
    }),
  }),
});

export const DeviceObjectType = builder.objectRef<TreeObject>('DeviceObject').implement({
  description: 'An object of a device. Example: `/3303`, Temperature.',
  fields: (t) => ({
    objectId: t.exposeInt('objectId', { description: 'The object’s id, 0 to 65534: `3303`.' }),
    version: t.string({
      description: 'The object’s version on this device, major.minor: `"1.1"`.',
      resolve: async ({ objectId, version }, _args, { load }) =>
        version ?? (await load.definition(objectId, null))?.version ?? DEFAULT_VERSION,
    }),
    definition: t.field({
      type: ObjectDefinitionType,
      nullable: true,
      description: 'The definition of the object: its name and resources. Null if there is none.',
      resolve: ({ objectId, version }, _args, { load }) => load.definition(objectId, version),
    }),
    instances: t.field({
      type: [ObjectInstance],
      description: 'The object’s instances on the device, by ascending id.',
      extensions: { items: 'instances of an object' satisfies SizedList },
      resolve: ({ instances }) => [...instances],
    }),
  }),
});
