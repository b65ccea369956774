import { isDeepStrictEqual } from 'node:util';
import { LIMITS, type DeviceId, type FleetEvents, type ResourceState, type WatchState } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { DeviceNode } from '../nodes.ts';
import { list, path } from '../rules.ts';
import { ResourceObject } from '../tree/device-tree.ts';
import { hasWildcard, narrow, parseSelector, selects } from '../tree/tree-selection.ts';
import { versionOf } from '../tree/tree.ts';
import { live } from './live.ts';
import { deviceOf } from './subscribed-device.ts';
import { WatchedPathType } from './watched-path.ts';

interface ResourceChange {
  readonly deviceId: DeviceId;
  readonly initial: boolean;
  readonly complete: boolean;
  readonly completing: boolean;
  readonly paths: readonly WatchState[];
  readonly resources: readonly ResourceState[];
}

const ResourceChangeType = builder.objectRef<ResourceChange>('ResourceChange').implement({
  description: 'New values of one device, all from the same message; or new states of the watched paths.',
  fields: (t) => ({
    deviceId: t.expose('deviceId', { type: 'UUID', description: 'The device’s UUID.' }),
    device: t.field({
      type: DeviceNode,
      nullable: true,
      description: 'The device at the time of the event; null if it was deleted.',
      resolve: ({ deviceId }) => deviceId,
    }),
    initial: t.exposeBoolean('initial', {
      description:
        'True: `resources` has all stored values of the watched resources, also unchanged ones. So in the first event, in the event that completes it (`complete`), and in the event after lost events. `Resource.timestamp` tells how old a value is.',
    }),
    complete: t.exposeBoolean('complete', {
      description:
        'False until the device has answered for each watched path (no path is WAITING): some stored values may be missing or old, and the rest follow. With the last answer, an event with `initial: true` and `complete: true` has all values. Without `paths`: always true.',
    }),
    completing: t.exposeBoolean('completing', {
      description:
        'True: the values complete the stored ones: the last reported state of their path is WAITING or RETRYING. So the values with which an observation starts; they may be unchanged. False: `initial` is true, or the values are changes.',
    }),
    paths: t.field({
      type: [WatchedPathType],
      description:
        'The state of each watched path, in the order of the argument: in the first event, and when a state has changed; else empty. Empty without the argument.',
      resolve: ({ paths }) => [...paths],
    }),
    resources: t.field({
      type: [ResourceObject],
      description:
        'The resources with new values; empty if only states of paths changed. If `initial` is true: the stored values.',
      resolve: async ({ deviceId, resources }, _args, { load }) => {
        const registration = await load.registration(deviceId);
        return resources.map((state) => ({ state, version: versionOf(registration, state.objectId) }));
      },
    }),
  }),
});

const withoutWildcard = path((text) =>
  hasWildcard(text) ? 'must not contain *: watch the object or instance instead' : null,
);
const watched = list('paths', { least: 1, most: LIMITS.paths }, withoutWildcard);

const isSettled = ({ state }: WatchState): boolean => state !== 'WAITING';
const isOpen = ({ state }: WatchState): boolean => state === 'WAITING' || state === 'RETRYING';

builder.subscriptionField('resourceChanged', (t) =>
  t.field({
    type: ResourceChangeType,
    description:
      'Delivers new values of a device’s resources. The device observes the given paths until the last subscriber has left, and 30 seconds longer; if it is offline or asleep, the observation starts when it is reachable. The first event has the stored values, which may be old, and the state of each path; new values follow, and an event with `complete: true` when the device has answered for each path. Example: `resourceChanged(deviceId: "…", paths: ["/3303/0/5700"])`.',
    args: {
      deviceId: t.arg.id({ required: true, description: 'The device’s global id or UUID.' }),
      paths: t.arg({
        type: ['ResourcePath'],
        description:
          'Paths of objects, instances or resources: `["/3303/0/5700"]`. Not allowed: `*` and `/`. Absent or null: you get all values that arrive anyway (profile, other subscribers, reads); the device is not asked for more.',
        validate: watched,
      }),
    },
    subscribe: async (_root, { deviceId, paths }, context) => {
      const { fleet, actor, bus } = context;
      const device = await deviceOf(context, deviceId);
      const selectors = (paths ?? ['/']).map(parseSelector);
      const pick = (states: readonly ResourceState[]): ResourceState[] =>
        states.flatMap((state) => {
          // A discovered resource without a value.
          if (state.timestamp === null) return [];
          const selector = selectors.find((one) => selects(one, state));
          const narrowed = selector ? narrow(selector, state) : null;
          return narrowed ? [narrowed] : [];
        });
      const subscription = bus.subscribe('resourceChanged', `${actor.tenantId}/${device.id}`, {
        accept: ({ resources }) =>
          resources.length === 0
            ? paths != null
            : resources.some((state) => selectors.some((one) => selects(one, state))),
      });
      try {
        const watch = paths ? await fleet.watching.watch(actor, device.id, paths) : null;
        let states: readonly WatchState[] = [];
        const change = (resources: readonly ResourceState[], more: Partial<ResourceChange> = {}): ResourceChange => ({
          deviceId: device.id,
          initial: false,
          complete: states.every(isSettled),
          completing: false,
          paths: [],
          resources,
          ...more,
        });
        /** The first value of a path comes here before its observation runs and its state changes. */
        const isAwaited = (resources: readonly ResourceState[]): boolean =>
          resources.every((resource) => {
            const covering = states.filter(({ path: text }) => selects(parseSelector(text), resource));
            return covering.length > 0 && covering.every(isOpen);
          });
        // The states are read before the values: the value of a path is stored before its observation runs.
        const snapshot = async (now: readonly WatchState[]): Promise<ResourceChange> => {
          states = now;
          const found = await fleet.devices.resources(actor, [device.id], paths ? selectors : []);
          return change(pick(found.get(device.id) ?? []), { initial: true, paths: now });
        };
        const stateChange = async (): Promise<ResourceChange | null> => {
          const now = (await watch?.states()) ?? [];
          if (isDeepStrictEqual(now, states)) return null;
          const completes = !states.every(isSettled) && now.every(isSettled);
          if (completes) return snapshot(now);
          states = now;
          return change([], { paths: now });
        };
        return live<FleetEvents['resourceChanged'], ResourceChange>({
          subscription,
          select: ({ resources }) => {
            if (resources.length === 0) return stateChange();
            const picked = pick(resources);
            return picked.length === 0 ? null : change(picked, { completing: isAwaited(picked) });
          },
          // Whether it is complete, or completes, depends on when the subscriber came.
          isShared: ({ initial, complete, completing }) => !initial && complete && !completing,
          present: async () => snapshot((await watch?.states()) ?? []),
          left: () => watch?.release(),
        });
      } catch (error) {
        subscription.close();
        throw error;
      }
    },
    resolve: ({ value }) => value,
  }),
);
