import type { ObjectModel, Path } from '../../lwm2m/index.ts';
import type { Actor, DeviceId, TenantId } from '../access/index.ts';
import { FleetError, shown } from '../common/index.ts';
import { deviceKey, type DeviceKey } from '../devices/index.ts';
import { definitionAt, parsePath } from '../objects/index.ts';
import type { Observing, WatchState } from '../observing/index.ts';
import type { Roster } from '../presence/index.ts';
import type { Devices } from './devices.ts';

/** The right of one subscription to have paths of a device observed. */
export interface Watch {
  /** Resolves with the present state of each path, in the order in which they were given. */
  states(): Promise<readonly WatchState[]>;
  release(): void;
}

/** Observes resources for subscriptions. */
export interface Watching {
  /**
   * Observes the paths of the device until `release` is called, and for the linger time after it. Subscriptions share
   * running observations; an observation that nothing else needs ends with the last one. A device that is offline or
   * sleeps is observed when it registers or wakes up. Resolves without waiting for the device. The bus has an event
   * `resourceChanged` without resources when a state may have changed.
   */
  watch(actor: Actor, deviceId: DeviceId, paths: readonly string[]): Promise<Watch>;
}

/** The modules that `createWatching` calls. */
export interface WatchingParts {
  readonly devices: Devices;
  readonly observing: Observing;
  readonly roster: Roster;
  readonly modelOf: (tenantId: TenantId) => ObjectModel;
}

/** Creates the leases on observations that subscriptions hold. */
export function createWatching({ devices, observing, roster, modelOf }: WatchingParts): Watching {
  return {
    async watch(actor, deviceId, texts) {
      const paths = checkedPaths(texts);
      const device = await devices.get(actor, { id: deviceId });
      if (!device) throw new FleetError('NOT_FOUND', 'no such device', { field: ['deviceId'] });
      const key = deviceKey(device.tenantId, device.id);
      const model = modelOf(device.tenantId);
      const executables = new Set(paths.filter((path) => isExecutable(path, key, roster, model)));
      const lease = observing.watch(
        key,
        paths.filter((path) => !executables.has(path)),
      );
      return {
        async states() {
          const states = await observing.watchStates(key, paths);
          return states.map((state, index) => {
            const path = paths[index];
            return path && executables.has(path) ? withoutValue(path) : state;
          });
        },
        release: () => lease.release(),
      };
    },
  };
}

function checkedPaths(texts: readonly string[]): Path[] {
  return texts.map((text, index) => {
    const field = ['paths', String(index)];
    const path = parsePath(text, field);
    if (path.level !== 'root') return path;
    const rule = 'is not an object, an instance or a resource: leave `paths` out to get all values';
    throw new FleetError('VALIDATION', `${field.join('.')}: ${shown(text)} ${rule}`, { field });
  });
}

function isExecutable(path: Path, key: DeviceKey, roster: Roster, model: ObjectModel): boolean {
  const objects = roster.get(key)?.registration.objects ?? [];
  return definitionAt(path, { model, objects })?.operations === 'E';
}

function withoutValue(path: Path): WatchState {
  const message = `${path} is executable and has no value`;
  return { path: String(path), state: 'REJECTED', code: null, message, nextTry: null };
}
