import { observationKey, type NotificationAttributes, type Path, type RegisteredObject } from '../../lwm2m/index.ts';
import type { DeviceId } from '../access/index.ts';
import { parseMappingPath, pathsOf, type MetricMapping } from '../profiles/index.ts';
import type { Refusal } from './refusals.ts';

/** A running observation, as API callers see it. */
export interface DeviceObservation {
  readonly id: string;
  readonly deviceId: DeviceId;
  readonly paths: readonly string[];
  readonly composite: boolean;
  /** PROFILE: the profile maps its paths; REQUESTED: a mutation requested it; WATCHED: a subscription watches it. */
  readonly reasons: readonly ('PROFILE' | 'REQUESTED' | 'WATCHED')[];
  readonly startedAt: Date;
}

/** An observation that should run on a device, with its state. */
export interface WantedState {
  readonly paths: readonly string[];
  readonly reasons: DeviceObservation['reasons'];
  /**
   * RUNNING: the device accepted it. WAITING: it is asked for when the device can be asked. RETRYING: the device could
   * not start it or ended it, and is asked again at `nextTry`. REFUSED: it is asked again when the device registers or
   * changes its objects.
   */
  readonly state: 'RUNNING' | 'WAITING' | 'RETRYING' | 'REFUSED';
  /** The CoAP code of the device's answer: `4.04`. Null when there is none. */
  readonly code: string | null;
  readonly message: string | null;
  readonly nextTry: Date | null;
}

type Reason = DeviceObservation['reasons'][number];

/** An observation that a mutation requested. It lasts until a mutation cancels it. */
export interface RequestedObservation {
  readonly paths: readonly Path[];
  readonly attributes: NotificationAttributes | null;
  readonly contentFormat: number | null;
}

/** An observation that should run, and why. */
export interface WantedObservation {
  readonly key: string;
  readonly paths: readonly Path[];
  /** The attributes to write to the path before it is observed; null: none. */
  readonly attributes: NotificationAttributes | null;
  readonly contentFormat: number | null;
  readonly reasons: readonly Reason[];
}

/** The sources of a device's wanted observations. */
export interface Wishes {
  readonly mappings: readonly MetricMapping[];
  readonly requested: readonly RequestedObservation[];
  readonly watched: readonly Path[];
  /** False: the device does not support Observe-Composite. A requested observation is then one for each path. */
  readonly composite: boolean;
  /** The objects that the device registered. */
  readonly objects: readonly RegisteredObject[];
  /** Keys of observations that a command ended: not wanted until somebody asks again or the device registers again. */
  readonly cancelled: ReadonlySet<string>;
}

/** The most observations of a device. The profile's go first, then requested ones, then watched ones. */
export const MOST_OBSERVATIONS = 256;

/**
 * Returns the observations that should run on a device. Wishes for equal paths share one observation. A watched path
 * below a wanted path shares the observation of that path.
 */
export function wantedObservations(wishes: Wishes): WantedObservation[] {
  const wanted = new Map<string, WantedObservation>();
  const want = (wish: Omit<WantedObservation, 'key' | 'reasons'>, reason: Reason): void => {
    const key = observationKey(wish.paths);
    const known = wanted.get(key);
    if (known) {
      const reasons = known.reasons.includes(reason) ? known.reasons : [...known.reasons, reason];
      wanted.set(key, { ...known, attributes: known.attributes ?? wish.attributes, reasons });
    } else if (wanted.size < MOST_OBSERVATIONS && !wishes.cancelled.has(key)) {
      wanted.set(key, { ...wish, key, reasons: [reason] });
    }
  };
  for (const mapping of wishes.mappings) {
    for (const path of pathsOf(parseMappingPath(mapping.path, []), wishes.objects)) {
      want({ paths: [path], attributes: mapping.attributes ?? null, contentFormat: null }, 'PROFILE');
    }
  }
  for (const request of wishes.requested) {
    if (!request.paths.every((path) => isRegistered(path, wishes.objects))) continue;
    const parts = wishes.composite ? [request.paths] : request.paths.map((path) => [path]);
    for (const paths of parts) want({ ...request, paths }, 'REQUESTED');
  }
  // Parents come first, so that their observations cover their children.
  for (const path of wishes.watched.toSorted((one, other) => one.compare(other))) {
    if (!isRegistered(path, wishes.objects)) continue;
    const covering = coveringWish(path, [...wanted.values()]);
    want({ paths: covering ? covering.paths : [path], attributes: null, contentFormat: null }, 'WATCHED');
  }
  return [...wanted.values()];
}

/** The wanted observation of a path above this one, which brings its values too. */
export function coveringWish(path: Path, wanted: readonly WantedObservation[]): WantedObservation | undefined {
  return wanted.find(
    ({ paths, key }) => key !== String(path) && paths.length === 1 && paths.some((wider) => wider.contains(path)),
  );
}

/** True if the device registered the object and the instance of the path: it is not asked for others. */
export function isRegistered(path: Path, objects: readonly RegisteredObject[]): boolean {
  const object = objects.find(({ objectId }) => objectId === path.objectId);
  if (!object) return false;
  return path.instanceId === null || object.instanceIds.includes(path.instanceId);
}

/** Returns a wanted observation as API callers see it. `refusal` is the newest one of the observation, if any. */
export function wantedState(wish: WantedObservation, running: boolean, refusal: Refusal | undefined): WantedState {
  const about = { paths: wish.paths.map(String), reasons: wish.reasons };
  if (running || !refusal) {
    return { ...about, state: running ? 'RUNNING' : 'WAITING', code: null, message: null, nextTry: null };
  }
  const { code, message, nextTry } = refusal;
  const state = nextTry === null ? 'REFUSED' : 'RETRYING';
  return { ...about, state, code, message, nextTry: nextTry === null ? null : new Date(nextTry) };
}
