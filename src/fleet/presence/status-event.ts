import type { DeviceStatus, DeviceStatusChange } from '../devices/index.ts';
import type { DeviceStatusEvent } from '../readings/index.ts';

/**
 * The `device.status` event of a transition, as a list of none or one. Every Register makes one, also of a device that
 * was online: its consumers learn that it started anew. Otherwise only a change between online and offline does, and a
 * device that sleeps inside its lifetime is online.
 */
export function toStatusEvent(change: DeviceStatusChange): DeviceStatusEvent[] {
  const status = outside(change.status);
  const previous = outside(change.previous);
  const reason = change.reason === 'awake' ? 'updated' : change.reason;
  if (status === null || reason === 'asleep' || reason === 'provisioned') return [];
  if (status === previous && reason !== 'registered') return [];
  const { tenantId, deviceId, endpoint, lastSeen, at } = change;
  return [{ tenantId, deviceId, endpoint, status, previous, reason, lastSeen, at }];
}

function outside(status: DeviceStatus): 'online' | 'offline' | null {
  switch (status) {
    case 'ONLINE':
    case 'SLEEPING':
      return 'online';
    case 'OFFLINE':
      return 'offline';
    case 'NEVER_SEEN':
      return null;
  }
}
