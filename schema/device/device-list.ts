import { FleetError, LIMITS, type DeviceFilter } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { DeviceStatusEnum } from './device.ts';
import type { SizedList } from '../list-size.ts';
import { idOf } from '../global-id.ts';
import { DeviceNode } from '../nodes.ts';
import { connection, pageRequest } from '../page.ts';
import { choice, OBJECT_ID, text } from '../rules.ts';

export const DeviceFilterInput = builder.inputType('DeviceFilter', {
  description: 'Selects devices that meet all given conditions. Example: `{ status: [ONLINE], tags: ["roof"] }`.',
  fields: (t) => ({
    ids: t.idList({
      description: 'Devices with one of these ids: global ids or UUIDs. Absent or null: no condition.',
      validate: choice('ids'),
    }),
    status: t.field({
      type: [DeviceStatusEnum],
      description: 'Devices in one of these states: `[ONLINE, SLEEPING]`. Absent or null: no condition.',
      validate: choice('states'),
    }),
    profileId: t.id({ description: 'Devices with this profile: global id or UUID. Absent or null: no condition.' }),
    tags: t.stringList({
      description: 'Devices that have all of these tags: `["berlin", "roof"]`. Absent or null: no condition.',
      validate: choice('tags', text({ most: LIMITS.tag })),
    }),
    search: t.string({
      description:
        'Devices whose endpoint or name contains this text, in upper or lower case: `"boiler"`. Absent or null: no condition.',
      validate: text({ least: 0, most: LIMITS.search }),
    }),
    objectId: t.int({
      description: 'Devices that registered this object: `3303`. Absent or null: no condition.',
      validate: OBJECT_ID,
    }),
    lastSeenBefore: t.field({
      type: 'DateTime',
      description: 'Devices whose last message arrived before this time. Absent or null: no condition.',
    }),
    lastSeenAfter: t.field({
      type: 'DateTime',
      description: 'Devices whose last message arrived after this time. Absent or null: no condition.',
    }),
  }),
});

type DeviceFilterFields = typeof DeviceFilterInput.$inferInput;

/** Converts the input to a filter of the fleet. Throws FleetError VALIDATION for a malformed id. */
export function deviceFilter(filter: DeviceFilterFields | null | undefined): DeviceFilter | undefined {
  if (!filter) return undefined;
  const { ids, status, profileId, tags, search, objectId, lastSeenBefore, lastSeenAfter } = filter;
  return {
    ...(ids && { ids: ids.map((id, at) => idOf('Device', String(id), 'filter', 'ids', String(at))) }),
    ...(status && { status }),
    ...(profileId != null && { profileId: idOf('DeviceProfile', String(profileId), 'filter', 'profileId') }),
    ...(tags && { tags }),
    ...(search != null && { search }),
    ...(objectId != null && { objectId }),
    ...(lastSeenBefore && { lastSeenBefore }),
    ...(lastSeenAfter && { lastSeenAfter }),
  };
}

const DeviceOrderField = builder.enumType('DeviceOrderField', {
  description: 'The value by which devices are sorted.',
  values: {
    ENDPOINT: { description: 'Sort by endpoint name.' },
    NAME: { description: 'Sort by name; a device without a name counts as the lowest name.' },
    LAST_SEEN: { description: 'Sort by the time of the last message; never-seen devices count as oldest.' },
    CREATED_AT: { description: 'Sort by the time of provisioning.' },
  },
});

const OrderDirection = builder.enumType('OrderDirection', {
  description: 'The direction of sorting.',
  values: { ASC: { description: 'Lowest or oldest first.' }, DESC: { description: 'Highest or newest first.' } },
});

const DeviceOrderInput = builder.inputType('DeviceOrder', {
  description: 'The sort order of devices: `{ field: LAST_SEEN, direction: DESC }`.',
  fields: (t) => ({
    field: t.field({ type: DeviceOrderField, required: true, description: 'The value to sort by: `LAST_SEEN`.' }),
    direction: t.field({
      type: OrderDirection,
      defaultValue: 'ASC',
      description: 'The direction of sorting: `ASC`. Absent or null: `ASC`.',
    }),
  }),
});

builder.queryField('device', (t) =>
  t.field({
    type: DeviceNode,
    nullable: true,
    description:
      'Returns one device by id or by endpoint; pass exactly one of them. Null if the tenant has no such device. Example: `device(endpoint: "urn:imei:123")`.',
    args: {
      id: t.arg.id({ description: 'The device’s global id or UUID. Absent or null: `endpoint` names the device.' }),
      endpoint: t.arg.string({
        description: 'The device’s LwM2M endpoint name: `"urn:imei:123"`. Absent or null: `id` names the device.',
        validate: text({ most: 255 }),
      }),
    },
    resolve: async (_root, { id, endpoint }, { fleet, actor }) => {
      if ((id == null) === (endpoint == null)) {
        throw new FleetError('VALIDATION', 'device needs exactly one of id and endpoint');
      }
      // An id is loaded in one batch with the other devices of the query.
      return id == null ? fleet.devices.get(actor, { endpoint: endpoint ?? '' }) : idOf('Device', id, 'id');
    },
  }),
);

builder.queryField('devices', (t) =>
  t.connection(
    {
      type: DeviceNode,
      description:
        'Lists the tenant’s devices, by endpoint unless `orderBy` says otherwise. Example: `devices(first: 20, filter: { status: [ONLINE] }, orderBy: { field: LAST_SEEN, direction: DESC })`.',
      args: {
        filter: t.arg({ type: DeviceFilterInput, description: 'Selects devices. Absent or null: all.' }),
        orderBy: t.arg({
          type: DeviceOrderInput,
          description: 'The sort order. Absent or null: by endpoint, ascending.',
        }),
      },
      extensions: { items: 'devices' satisfies SizedList },
      resolve: async (_root, { filter: asked, orderBy, ...page }, { fleet, actor }) => {
        const filter = deviceFilter(asked);
        const order = orderBy ? { field: orderBy.field, direction: orderBy.direction ?? 'ASC' } : undefined;
        const devices = await fleet.devices.page(actor, pageRequest(page), filter, order);
        return { ...connection(devices), filter };
      },
    },
    {
      name: 'DeviceConnection',
      description: 'A page of devices.',
      fields: (connectionFields) => ({
        totalCount: connectionFields.int({
          description: 'The number of devices that match the filter, on all pages.',
          resolve: ({ filter }, _args, { fleet, actor }) => fleet.devices.count(actor, filter),
        }),
      }),
    },
    { name: 'DeviceEdge', description: 'A device and its cursor.' },
  ),
);
