import { FleetError, type Device } from '../../src/fleet/index.ts';
import type { Context } from '../context.ts';
import { idOf } from '../global-id.ts';

/** Returns the device of a subscription. Throws FleetError NOT_FOUND if the tenant has no such device. */
export async function deviceOf({ fleet, actor }: Context, text: string): Promise<Device> {
  const device = await fleet.devices.get(actor, { id: idOf('Device', text, 'deviceId') });
  if (!device) throw new FleetError('NOT_FOUND', `no device ${JSON.stringify(text.slice(0, 80))}`);
  return device;
}
