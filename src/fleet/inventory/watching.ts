import type { Actor, DeviceId } from '../access/index.ts';
import { FleetError } from '../common/index.ts';
import { deviceKey } from '../devices/index.ts';
import { parsePath } from '../objects/index.ts';
import type { Observing } from '../observing/index.ts';
import type { Devices } from './devices.ts';

export interface Watching {
  /**
   * Makes sure the paths of the device are observed while the returned lease is held; observations that run already are
   * shared, and one that only this lease wanted ends with it. A device that is away or asleep is observed when it comes.
   * Resolves without waiting for the device.
   */
  watch(actor: Actor, deviceId: DeviceId, paths: readonly string[]): Promise<{ release(): void }>;
}

const MOST_PATHS = 100;

/** Leases on what is observed, for subscriptions. */
export function createWatching(devices: Devices, observing: Observing): Watching {
  return {
    async watch(actor, deviceId, paths) {
      if (paths.length > MOST_PATHS) {
        throw new FleetError('VALIDATION', `at most ${MOST_PATHS} paths`, { field: ['paths'] });
      }
      const watched = paths.map((path, index) => parsePath(path, ['paths', String(index)]));
      const device = await devices.get(actor, { id: deviceId });
      if (!device) throw new FleetError('NOT_FOUND', 'no such device', { field: ['deviceId'] });
      return observing.watch(deviceKey(device.tenantId, device.id), watched);
    },
  };
}
