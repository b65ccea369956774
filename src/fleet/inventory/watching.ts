import type { Actor, DeviceId } from '../access/index.ts';
import { FleetError, LIMITS } from '../common/index.ts';
import { deviceKey } from '../devices/index.ts';
import { parsePath } from '../objects/index.ts';
import type { Observing } from '../observing/index.ts';
import type { Devices } from './devices.ts';

/** Observes resources for subscriptions. */
export interface Watching {
  /**
   * Observes the paths of the device until the returned lease is released. The lease shares running observations; an
   * observation without another lease or reason ends with it. An offline or sleeping device is observed when it
   * registers or wakes up. Resolves without waiting for the device.
   */
  watch(actor: Actor, deviceId: DeviceId, paths: readonly string[]): Promise<{ release(): void }>;
}

/** Creates the leases on observations that subscriptions hold. */
export function createWatching(devices: Devices, observing: Observing): Watching {
  return {
    async watch(actor, deviceId, paths) {
      if (paths.length > LIMITS.paths) {
        throw new FleetError('VALIDATION', `paths must hold at most ${LIMITS.paths} paths, not ${paths.length}`, {
          field: ['paths'],
        });
      }
      const watched = paths.map((path, index) => parsePath(path, ['paths', String(index)]));
      const device = await devices.get(actor, { id: deviceId });
      if (!device) throw new FleetError('NOT_FOUND', 'no such device', { field: ['deviceId'] });
      return observing.watch(deviceKey(device.tenantId, device.id), watched);
    },
  };
}
