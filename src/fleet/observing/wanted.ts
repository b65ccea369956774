import { observationKey, type NotificationAttributes, type Path, type RegisteredObject } from '../../lwm2m/index.ts';
import type { DeviceId } from '../access/index.ts';
import { parseMappingPath, pathsOf, type MetricMapping } from '../profiles/index.ts';

export interface DeviceObservation {
  readonly id: string;
  readonly deviceId: DeviceId;
  readonly paths: readonly string[];
  readonly composite: boolean;
  /** Why it runs: the profile maps it, somebody asked for it by mutation, or subscriptions watch it. */
  readonly reasons: readonly ('PROFILE' | 'REQUESTED' | 'WATCHED')[];
  readonly startedAt: Date;
}

type Reason = DeviceObservation['reasons'][number];

/** An observation that somebody asked for by mutation; it lasts until it is cancelled. */
export interface RequestedObservation {
  readonly paths: readonly Path[];
  readonly attributes: NotificationAttributes | null;
  readonly contentFormat: number | null;
}

/** An observation that should run, and why. */
export interface WantedObservation {
  readonly key: string;
  readonly paths: readonly Path[];
  /** Written to the path before it is observed; null: none. */
  readonly attributes: NotificationAttributes | null;
  readonly contentFormat: number | null;
  readonly reasons: readonly Reason[];
}

export interface Wishes {
  readonly mappings: readonly MetricMapping[];
  readonly requested: readonly RequestedObservation[];
  readonly watched: readonly Path[];
  /** What the device registered. */
  readonly objects: readonly RegisteredObject[];
  /** Keys that somebody cancelled by hand: not wanted until they ask again or the device registers anew. */
  readonly cancelled: ReadonlySet<string>;
}

/** Above this many a device is not asked for more: the first wishes win, profile before requests before watchers. */
export const MOST_OBSERVATIONS = 256;

/** Which observations should run on a device. Equal paths share one; a watched path below a wanted one needs none. */
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
    if (request.paths.every((path) => registered(path, wishes.objects))) want(request, 'REQUESTED');
  }
  // Parents first, so that what they cover is known when their children come.
  for (const path of wishes.watched.toSorted((one, other) => one.compare(other))) {
    if (!registered(path, wishes.objects)) continue;
    const covering = [...wanted.values()].find(
      ({ paths, key }) => key !== String(path) && paths.length === 1 && paths.some((wider) => wider.contains(path)),
    );
    want({ paths: covering ? covering.paths : [path], attributes: null, contentFormat: null }, 'WATCHED');
  }
  return [...wanted.values()];
}

/** A device is not asked for objects and instances that it did not register. */
function registered(path: Path, objects: readonly RegisteredObject[]): boolean {
  const object = objects.find(({ objectId }) => objectId === path.objectId);
  if (!object) return false;
  return path.instanceId === null || object.instanceIds.includes(path.instanceId);
}
