import type { DeviceChange, DevicePart } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { DeviceNode } from '../nodes.ts';
import { live } from './live.ts';
import { deviceOf } from './subscribed-device.ts';

const DevicePartEnum = builder.enumType('DevicePart', {
  description: 'A part of a device whose changes `deviceChanged` delivers.',
  values: {
    NAME: { value: 'name', description: 'The name was changed by `updateDevice`.' },
    TAGS: { value: 'tags', description: 'The tags were changed by `updateDevice`.' },
    PROFILE: { value: 'profileId', description: 'The device got another profile by `updateDevice`.' },
    AWAKE_TIME: { value: 'awakeTime', description: 'The awake time was changed by `updateDevice`.' },
    REGISTRATION: {
      value: 'registration',
      description:
        'The device registered, sent an Update, de-registered or changed its address; or its lifetime ended.',
    },
  } satisfies Record<string, { value: DevicePart; description: string }>,
});

const DeviceChangeType = builder.objectRef<DeviceChange>('DeviceChange').implement({
  description: 'A change of a device: by a person, or of its registration.',
  fields: (t) => ({
    deviceId: t.expose('deviceId', { type: 'UUID', description: 'The device’s UUID.' }),
    device: t.field({
      type: DeviceNode,
      nullable: true,
      description: 'The device at the time of the event; null if it was deleted.',
      resolve: ({ deviceId }) => deviceId,
    }),
    changed: t.field({
      type: [DevicePartEnum],
      description: 'The parts that changed: `[NAME, TAGS]`.',
      resolve: ({ changed }) => [...changed],
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When the device was changed.' }),
  }),
});

builder.subscriptionField('deviceChanged', (t) =>
  t.field({
    type: DeviceChangeType,
    description:
      'Delivers changes of a device’s name, tags, profile, awake time and registration; `deviceStatusChanged` delivers its status, and new and deleted devices. There is no first event with the current state. Example: `deviceChanged { changed device { id name tags } }`.',
    args: {
      deviceId: t.arg.id({
        description: 'The device’s global id or UUID. Absent or null: all devices of the tenant.',
      }),
    },
    subscribe: async (_root, { deviceId }, context) => {
      const { actor, bus } = context;
      const device = deviceId == null ? null : await deviceOf(context, deviceId);
      return live<DeviceChange, DeviceChange>({
        subscription: bus.subscribe('deviceChanged', device && `${actor.tenantId}/${device.id}`, {
          accept: ({ tenantId }) => tenantId === actor.tenantId,
        }),
        select: (change) => change,
      });
    },
    resolve: ({ value }) => value,
  }),
);
