import { ConfigError } from './reader.ts';
import { settings } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables with our prefix that other programs of this repository read: the examples and the tests. */
const OTHERS = /^TREELINE_(?:URL|TOKEN|TENANT|TEST_.*)$/;

/**
 * Variables that Kubernetes sets in each container for a service whose name begins with `treeline`: `TREELINE_PORT`,
 * `TREELINE_SERVICE_HOST`, `TREELINE_API_PORT_80_TCP_ADDR` (Kubernetes, "Discovering services", "Environment variables").
 */
const SERVICE = /_SERVICE_HOST$|_SERVICE_PORT(?:_[A-Z0-9_]+)?$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/;
const SERVICE_URL = /^(?:tcp|udp|sctp):\/\//;

/** A name with another prefix counts as misspelt if it differs in so many characters at most. */
const MOST_DIFFERENCES = 2;

/**
 * Throws ConfigError for a variable that looks like a setting and is none: every unknown one with the prefix
 * `TREELINE_`, and each one with the prefix `KAFKA_` that resembles a setting. An empty variable counts as absent.
 */
export function refuseUnknownSettings(environment: Environment): void {
  const known: readonly string[] = Object.values(settings).map(({ variable }) => variable);
  for (const [name, text = ''] of Object.entries(environment)) {
    if (text.trim() === '' || known.includes(name) || !/^(?:TREELINE|KAFKA)_/.test(name)) continue;
    if (OTHERS.test(name) || SERVICE.test(name) || (name.endsWith('_PORT') && SERVICE_URL.test(text))) continue;
    const withoutPrefix = name.replace(/^TREELINE_/, '');
    const [nearest, distance] = known.includes(withoutPrefix) ? [withoutPrefix, 0] : nearestOf(name, known);
    if (name.startsWith('TREELINE_') || distance <= MOST_DIFFERENCES) {
      throw new ConfigError(`${name} is not a setting; did you mean ${nearest}? Correct or remove it`);
    }
  }
}

function nearestOf(name: string, known: readonly string[]): readonly [nearest: string, distance: number] {
  return known
    .map((candidate) => [candidate, distanceOf(name, candidate)] as const)
    .reduce((best, next) => (next[1] < best[1] ? next : best));
}

/** The Levenshtein distance: how many characters must be added, removed or replaced. */
function distanceOf(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
