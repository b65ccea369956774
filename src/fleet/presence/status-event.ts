import type { DeviceStatus, DeviceStatusChange } from '../devices/index.ts';
import type { DeviceStatusEvent } from '../readings/index.ts';

/**
 * Returns the `device.status` event of a transition, in a list; an empty list if the transition makes none. Every
 * Register makes an event, even that of an online device: consumers learn that the device registered again. Any other
 * transition makes one only between online and offline; a sleeping device counts as online.
 */
export function toStatusEvent(change: DeviceStatusChange): DeviceStatusEvent[] {
  const status = outside(change.status);
  const previous = outside(change.previous);
  const reason = change.reason === 'awake' ? 'updated' : change.reason;
  if (status === null || reason === 'asleep' || reason === 'provisioned' || reason === 'deleted') return [];
  if (status === previous && reason !== 'registered') return [];
  const { tenantId, deviceId, endpoint, lastSeen, at } = change;
  return [{ tenantId, deviceId, endpoint, status, previous, reason, lastSeen, at }];
}

/** Maps a status to that of the event; null: events have none for it. */
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
