import { observationKey, type Path, type Reading, type RegisteredObject } from '../../lwm2m/index.ts';
import { type MetricMapping, parseMappingPath, pathsOf } from '../profiles/index.ts';

/** A notification, and the observations of the device that run. */
export interface Notified {
  /** The paths of the observation that the notification belongs to. */
  readonly scope: readonly Path[];
  readonly readings: readonly Reading[];
  /** The paths of each running observation. */
  readonly running: readonly (readonly Path[])[];
  readonly mappings: readonly MetricMapping[];
  readonly objects: readonly RegisteredObject[];
}

interface Candidate {
  readonly key: string;
  readonly paths: readonly Path[];
}

/**
 * Returns the readings of a notification that become telemetry. When several observations cover a resource, the device
 * reports each new value once for each of them; only one of them counts: the one that the profile wants, else the one
 * with the longest path. So the observation of a watcher counts only while the profile's does not run.
 */
export function measuredOf({ scope, readings, running, mappings, objects }: Notified): readonly Reading[] {
  const own: Candidate = { key: observationKey(scope), paths: scope };
  const others = running
    .map((paths): Candidate => ({ key: observationKey(paths), paths }))
    .filter(({ key, paths }) => key !== own.key && overlaps(paths, scope));
  if (others.length === 0) return readings;
  const wanted = new Set(
    mappings.flatMap(({ path }) => pathsOf(parseMappingPath(path, []), objects).map((each) => observationKey([each]))),
  );
  return readings.filter(({ path }) => {
    const rank = ({ key, paths }: Candidate): number => (wanted.has(key) ? Infinity : depthOf(paths, path));
    const rankOfOwn = rank(own);
    return others.every((other) => {
      const rankOfOther = rank(other);
      if (depthOf(other.paths, path) < 0 || rankOfOther < rankOfOwn) return true;
      return rankOfOther === rankOfOwn && own.key < other.key;
    });
  });
}

/** The length of the longest of the paths that contains `path`; -1 if none does. */
function depthOf(paths: readonly Path[], path: Path): number {
  return Math.max(-1, ...paths.filter((wider) => wider.contains(path)).map(({ ids }) => ids.length));
}

function overlaps(some: readonly Path[], others: readonly Path[]): boolean {
  return some.some((one) => others.some((other) => one.contains(other) || other.contains(one)));
}
