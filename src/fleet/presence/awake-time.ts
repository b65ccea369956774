import { defaultLwm2mServerSettings } from '../../lwm2m/index.ts';
import type { Device } from '../devices/index.ts';
import type { MeasuredAwake } from './roster.ts';

/** How long a measured awake time applies: the device may change, or an outage may have looked like sleep. */
export const MEASURED_FOR_MS = 7 * 24 * 3_600_000;

type AwakeColumns = Pick<Device, 'awakeTime' | 'measuredAwakeTime' | 'awakeMeasuredAt'>;

/**
 * The awake time of a device in queue mode, in seconds: its own as a person set it; else the measured one, where it is
 * shorter than that of the profile; else that of the profile. Null: the server's default. `now`: milliseconds.
 */
export function awakeTimeOf(device: AwakeColumns, ofProfile: number | null, now: number): number | null {
  if (device.awakeTime !== null) return device.awakeTime;
  const measured = measuredAwakeOf(device);
  const configured = ofProfile ?? defaultLwm2mServerSettings.awakeMs / 1000;
  return measured && isCurrent(measured, now) && measured.seconds < configured ? measured.seconds : ofProfile;
}

export function measuredAwakeOf({
  measuredAwakeTime: seconds,
  awakeMeasuredAt: at,
}: Omit<AwakeColumns, 'awakeTime'>): MeasuredAwake | null {
  return seconds === null || at === null ? null : { seconds, at: at.getTime() };
}

export function isCurrent({ at }: MeasuredAwake, now: number): boolean {
  return now - at < MEASURED_FOR_MS;
}
