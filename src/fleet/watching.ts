import { FleetError } from './error.ts';
import type { Devices, Watching } from './fleet.ts';
import type { Observing } from './observing.ts';
import { parsePath } from './operation-values.ts';
import { deviceKey } from './roster.ts';

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
