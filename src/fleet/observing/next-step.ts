import type { Lwm2mVersion, Path } from '../../lwm2m/index.ts';
import type { DeviceProfile } from '../profiles/index.ts';
import type { Observed } from './observed.ts';
import { attributesKey, attributesSteps, observeStep, pathAttributes, type ObservingStep } from './observing-step.ts';
import { longestSilence } from './silence.ts';
import type { WantedObservation } from './wanted.ts';

/** The state of a device that can be asked now. */
export interface Situation {
  readonly wanted: readonly WantedObservation[];
  /** The paths of the running observations, by key. */
  readonly running: ReadonlyMap<string, readonly Path[]>;
  /** Forgets what no longer applies. */
  readonly observed: Observed;
  /** The keys of the steps that were taken in this round. */
  readonly tried: ReadonlySet<string>;
  readonly version: Lwm2mVersion;
  readonly profile: Pick<DeviceProfile, 'expectedInterval'>;
  /** When the device accepted the observation of these paths or last notified; null: it does not run. */
  readonly heardAt: (paths: readonly Path[]) => number | null;
  readonly now: number;
  /** False: the device got so many requests for watchers alone that the next one must wait. */
  readonly maySendForWatchers: boolean;
}

/**
 * Chooses the next step: attributes before their observation, new observations, silent ones again, then the end of
 * those that are not wanted. Returns null if there is none, and 'postponed' if there are only some for watchers, which
 * must wait.
 */
export function nextStep(situation: Situation): ObservingStep | 'postponed' | null {
  const { wanted, running, observed, tried, version, profile, heardAt, now, maySendForWatchers } = situation;
  const keys = new Set(wanted.map(({ key }) => key));
  for (const key of observed.forWatchers) if (!running.has(key)) observed.forWatchers.delete(key);
  const attributes = pathAttributes(wanted, version);
  const attributeKeys = new Set([...attributes.keys()].map(attributesKey));
  observed.refused.keepOnly((key) => keys.has(key) || attributeKeys.has(key));
  const open = (key: string): boolean =>
    !tried.has(key) && !observed.refused.blocks(key, now) && !observed.commanded.has(key);
  const isSilent = (wish: WantedObservation): boolean => {
    const longest = longestSilence(wish, attributes, profile);
    const heard = heardAt(wish.paths);
    return longest !== null && heard !== null && now - heard > longest;
  };
  let postponed = false;
  for (const wish of wanted) {
    if (!open(wish.key)) continue;
    const write = attributesSteps(wish, attributes, observed).find(({ key }) => open(key));
    if (write) return write;
    const runs = running.has(wish.key);
    if (runs && !isSilent(wish)) continue;
    const step = observeStep(wish, version, runs);
    if (!step.forWatchers || maySendForWatchers) return step;
    postponed = true;
  }
  for (const [key, paths] of running) {
    if (keys.has(key) || observed.commanded.has(key) || tried.has(key)) continue;
    const forWatchers = observed.forWatchers.has(key);
    if (!forWatchers || maySendForWatchers) {
      return { key, operation: { kind: 'cancel-observation', paths }, forWatchers };
    }
    postponed = true;
  }
  return postponed ? 'postponed' : null;
}
