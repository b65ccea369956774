import type { ReadingOrigin } from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';
import { ObjectDefinitionType, ResourceDefinitionType, ResourceType } from '../object/object-definition.ts';
import type { TreeInstance, TreeObject, TreeResource } from './tree.ts';

/** What an object counts as that neither the device nor a definition gives a version: the default of Core 1.2 §7.2.2. */
const DEFAULT_VERSION = '1.0';

const ReadingSource = builder.enumType('ReadingSource', {
  description: 'How a value came to be known.',
  values: {
    READ: { description: 'A Read was answered with it.' },
    NOTIFICATION: { description: 'An observation told it.' },
    SEND: { description: 'The device sent it of its own accord (Send, LwM2M 1.1).' },
    WRITE: { description: 'It was written, and the device accepted it.' },
  } satisfies Record<ReadingOrigin, { description: string }>,
});

export const ResourceObject = builder.objectRef<TreeResource>('Resource').implement({
  description: 'The last known value of one resource of a device. Reading it asks nothing of the device.',
  fields: (t) => ({
    path: t.field({
      type: 'ResourcePath',
      description: 'Where it stands: `"/3303/0/5700"`.',
      resolve: ({ state }) => state.path,
    }),
    resourceId: t.int({
      description: 'Its id within the object, 0 to 65534: `5700`.',
      resolve: ({ state }) => state.resourceId,
    }),
    definition: t.field({
      type: ResourceDefinitionType,
      nullable: true,
      description: 'What it is: name, type, operations, range, units. Null when no definition is known.',
      resolve: async ({ state, version }, _args, { load }) => {
        const object = await load.definition(state.objectId, version);
        return object?.resources.find(({ id }) => id === state.resourceId) ?? null;
      },
    }),
    value: t.field({
      type: 'ResourceValue',
      nullable: true,
      description: 'Its last known value: `22.5`; null where the device has the resource and no value is known.',
      resolve: ({ state }) => state.value,
    }),
    type: t.field({
      type: ResourceType,
      nullable: true,
      description: 'The type of the value: `FLOAT`. Null when no value is known.',
      resolve: ({ state }) => state.type,
    }),
    typeGuessed: t.boolean({
      description:
        'True where no definition of the object was known and the payload’s format told the type; `uploadObjectDefinition` mends that.',
      resolve: ({ state }) => state.typeGuessed,
    }),
    timestamp: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the device measured it, or, where it doesn’t say, when the value arrived.',
      resolve: ({ state }) => state.timestamp,
    }),
    source: t.field({
      type: ReadingSource,
      nullable: true,
      description: 'How the value came to be known: `NOTIFICATION`.',
      resolve: ({ state }) => state.source,
    }),
  }),
});

const ObjectInstance = builder.objectRef<TreeInstance>('ObjectInstance').implement({
  description: 'An instance of an object on a device: `/3303/0`, its first temperature sensor.',
  fields: (t) => ({
    instanceId: t.exposeInt('instanceId', { description: 'The instance’s id, 0 to 65534: `0`.' }),
    path: t.field({
      type: 'ResourcePath',
      description: 'Where it stands: `"/3303/0"`.',
      resolve: ({ objectId, instanceId }) => `/${objectId}/${instanceId}`,
    }),
    resources: t.field({
      type: [ResourceObject],
      description:
        'Its resources with their last known values, by ascending id. Those never read or notified are not known.',
      resolve: ({ resources }) => [...resources],
    }),
  }),
});

export const DeviceObjectType = builder.objectRef<TreeObject>('DeviceObject').implement({
  description: 'An object that a device has: `/3303`, Temperature.',
  fields: (t) => ({
    objectId: t.exposeInt('objectId', { description: 'The object’s id, 0 to 65534: `3303`.' }),
    version: t.string({
      description: 'Its version on this device, major.minor: `"1.1"`.',
      resolve: async ({ objectId, version }, _args, { load }) =>
        version ?? (await load.definition(objectId, null))?.version ?? DEFAULT_VERSION,
    }),
    definition: t.field({
      type: ObjectDefinitionType,
      nullable: true,
      description: 'What it is; null when no definition of it is known.',
      resolve: ({ objectId, version }, _args, { load }) => load.definition(objectId, version),
    }),
    instances: t.field({
      type: [ObjectInstance],
      description: 'Its instances on the device, by ascending id.',
      complexity: { field: 1, multiplier: 2 },
      resolve: ({ instances }) => [...instances],
    }),
  }),
});
