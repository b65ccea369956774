import * as z from 'zod';
import { FleetError, type DeviceFilter } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { DeviceStatusEnum } from './device.ts';
import { idOf } from '../global-id.ts';
import { DeviceNode } from '../nodes.ts';
import { connection, pageRequest } from '../page.ts';

export const DeviceFilterInput = builder.inputType('DeviceFilter', {
  description:
    'Which devices: those that meet everything that is said. Example: `{ status: [ONLINE], tags: ["roof"] }`.',
  fields: (t) => ({
    ids: t.idList({
      description: 'Only these: up to 200 global ids or plain UUIDs.',
      validate: z.array(z.string()).max(200).nullish(),
    }),
    status: t.field({ type: [DeviceStatusEnum], description: 'In one of these states: `[ONLINE, SLEEPING]`.' }),
    profileId: t.id({ description: 'With this profile: its global id or plain UUID.' }),
    tags: t.stringList({
      description: 'With all of these tags: `["berlin", "roof"]`.',
      validate: z.array(z.string()).max(50).nullish(),
    }),
    search: t.string({
      description: 'Part of the endpoint or the name, whatever its case: `"boiler"`.',
      validate: z.string().max(255).nullish(),
    }),
    objectId: t.int({
      description: 'Registered with this object: `3303`.',
      validate: z.number().int().min(0).max(65_534).nullish(),
    }),
    lastSeenBefore: t.field({ type: 'DateTime', description: 'Last heard of before this.' }),
    lastSeenAfter: t.field({ type: 'DateTime', description: 'Last heard of after this.' }),
  }),
});

type DeviceFilterFields = typeof DeviceFilterInput.$inferInput;

/** The filter as the fleet takes it. Throws FleetError VALIDATION for an id that is none. */
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
  description: 'What devices can be ordered by.',
  values: {
    ENDPOINT: { description: 'The endpoint name.' },
    NAME: { description: 'The name; those without one come first.' },
    LAST_SEEN: { description: 'When the last message arrived; those never seen come first.' },
    CREATED_AT: { description: 'When it was provisioned.' },
  },
});

const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Which way a list runs.',
  values: { ASC: { description: 'The least first.' }, DESC: { description: 'The greatest first.' } },
});

const DeviceOrderInput = builder.inputType('DeviceOrder', {
  description: 'How devices are ordered: `{ field: LAST_SEEN, direction: DESC }`.',
  fields: (t) => ({
    field: t.field({ type: DeviceOrderField, required: true, description: 'By what: `LAST_SEEN`.' }),
    direction: t.field({ type: OrderDirection, defaultValue: 'ASC', description: 'Which way: `DESC`.' }),
  }),
});

builder.queryField('device', (t) =>
  t.field({
    type: DeviceNode,
    nullable: true,
    description:
      'One device, by exactly one of its id and its endpoint; null when the tenant has none such. Example: `device(endpoint: "urn:imei:123")`.',
    args: {
      id: t.arg.id({ description: 'The device’s global id, or its plain UUID.' }),
      endpoint: t.arg.string({ description: 'Its LwM2M endpoint name: `"urn:imei:123"`.' }),
    },
    resolve: async (_root, { id, endpoint }, { fleet, actor }) => {
      if ((id == null) === (endpoint == null)) {
        throw new FleetError('VALIDATION', 'device wants exactly one of id and endpoint', { field: ['id'] });
      }
      // The id loads with others of the same query.
      return id == null ? fleet.devices.get(actor, { endpoint: endpoint ?? '' }) : idOf('Device', id, 'id');
    },
  }),
);

builder.queryField('devices', (t) =>
  t.connection(
    {
      type: DeviceNode,
      description:
        'The tenant’s devices. Example: `devices(first: 20, filter: { status: [ONLINE] }, orderBy: { field: LAST_SEEN, direction: DESC })`.',
      args: {
        filter: t.arg({ type: DeviceFilterInput, description: 'Which devices. Absent: all.' }),
        orderBy: t.arg({ type: DeviceOrderInput, description: 'How they are ordered. Absent: by endpoint.' }),
      },
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
          description: 'How many devices match the filter, on all pages.',
          resolve: ({ filter }, _args, { fleet, actor }) => fleet.devices.count(actor, filter),
        }),
      }),
    },
    { name: 'DeviceEdge', description: 'A device and its place in the list.' },
  ),
);
