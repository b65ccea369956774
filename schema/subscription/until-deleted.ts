import type { GraphQLField, GraphQLSchema } from 'graphql';
import type { Subscription } from '../../src/events/index.ts';
import { FleetError, type DeviceDeletion } from '../../src/fleet/index.ts';
import type { Context } from '../context.ts';
import { idOf } from '../global-id.ts';
import type { LiveEvent } from './live.ts';

/**
 * Makes every subscription with an argument `deviceId` end when this device is deleted: its last event is an error with
 * the code DEVICE_DELETED.
 */
export function endWithDevice(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    if (field.args.some(({ name }) => name === 'deviceId')) endOne(field);
  }
  return schema;
}

function endOne(field: GraphQLField<unknown, unknown>): void {
  const { subscribe, resolve } = field;
  if (!subscribe || !resolve) throw new Error(`the subscription ${field.name} has no resolvers`);
  field.subscribe = async (root, args: { readonly deviceId?: string | null }, context, info) => {
    // The casts are safe: `createContext` makes every context, and `live` every stream.
    const deletion = deletionOf(args.deviceId, context as Context);
    try {
      const events = (await subscribe(root, args, context, info)) as AsyncIterableIterator<LiveEvent<unknown>>;
      return deletion ? untilDeleted(events, deletion) : events;
    } catch (error) {
      deletion?.close();
      throw error;
    }
  };
  field.resolve = (event: unknown, args, context, info) => {
    const { value } = event as LiveEvent<unknown>;
    if (value instanceof FleetError) throw value;
    return resolve(event, args, context, info);
  };
}

/** Subscribes to the deletion of the device before the stream begins, so that none is missed. Null: no such id. */
function deletionOf(deviceId: string | null | undefined, { bus, actor }: Context): Subscription<DeviceDeletion> | null {
  if (deviceId == null) return null;
  try {
    return bus.subscribe('deviceDeleted', `${actor.tenantId}/${idOf('Device', deviceId, 'deviceId')}`);
  } catch {
    // The id is malformed: the subscription itself refuses it.
    return null;
  }
}

/** The events until the deletion, then one whose value is the error. */
function untilDeleted(
  events: AsyncIterableIterator<LiveEvent<unknown>>,
  deletion: Subscription<DeviceDeletion>,
): AsyncIterableIterator<LiveEvent<unknown>> {
  let reason: LiveEvent<unknown> | null = null;
  async function endWhenDeleted(): Promise<void> {
    for await (const event of deletion) {
      if (event.kind !== 'event') continue;
      const { value: deleted } = event;
      const error = new FleetError('DEVICE_DELETED', `the device ${JSON.stringify(deleted.endpoint)} was deleted`);
      reason = { value: error, missed: 0, origin: deleted };
      await events.return?.();
      return;
    }
  }
  void endWhenDeleted();
  const next = async (): Promise<IteratorResult<LiveEvent<unknown>>> => {
    const result = await events.next();
    if (!result.done) return result;
    deletion.close();
    const last = reason;
    reason = null;
    return last ? { done: false, value: last } : { done: true, value: undefined };
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next,
    async return() {
      deletion.close();
      reason = null;
      await events.return?.();
      return { done: true, value: undefined };
    },
  };
}
