import type { DeviceProfile } from '../profiles/index.ts';
import type { PathAttributes } from './observing-step.ts';
import type { WantedObservation } from './wanted.ts';

/** A device that sleeps notifies when it wakes, so one missing notification says nothing. */
const MISSED = 2;
/** Room for retransmissions and a slow network, in milliseconds. */
const SLACK_MS = 120_000;

/**
 * Returns after how many milliseconds without a notification an observation is requested again: the device may have
 * forgotten it, or got a Reset. The device must notify once per `pmax` (Core 1.2 §7.3); without `pmax`, the profile's
 * expected interval counts. Null: neither is set, so silence says nothing.
 */
export function longestSilence(
  { paths, attributes }: WantedObservation,
  written: PathAttributes,
  { expectedInterval }: Pick<DeviceProfile, 'expectedInterval'>,
): number | null {
  const pmaxes = [attributes?.pmax, ...paths.map((path) => written.get(String(path))?.attributes?.pmax)];
  const seconds = pmaxes.find((pmax) => typeof pmax === 'number' && pmax > 0) ?? expectedInterval;
  return seconds == null ? null : MISSED * seconds * 1000 + SLACK_MS;
}
