import type { Lwm2mVersion, NotificationAttributes, Operation, Path } from '../../lwm2m/index.ts';
import { sameAttributes } from '../objects/index.ts';
import type { Observed } from './observed.ts';
import type { WantedObservation } from './wanted.ts';

/** One request to a device that brings its running observations closer to the wanted ones. */
export interface ObservingStep {
  readonly key: string;
  readonly operation: Operation;
  /** True if only watchers need the step: such steps are limited. */
  readonly forWatchers: boolean;
  /** Called when the device accepted the request. */
  readonly done?: () => void;
}

/** Returns the key of the step that writes the attributes of a path. */
export function attributesKey(path: string): string {
  return `attributes of ${path}`;
}

/** The attributes that a path should have on the device; null: none that the server wrote. */
export type PathAttributes = ReadonlyMap<string, { path: Path; attributes: NotificationAttributes | null }>;

/**
 * Returns the attributes that the wanted observations need on the device, by path. A path of several observations gets
 * those of the first one that has some. LwM2M 1.2 sends those of a composite observation in its request (Core 1.2 §7.3).
 */
export function pathAttributes(wanted: readonly WantedObservation[], version: Lwm2mVersion): PathAttributes {
  const byPath = new Map<string, { path: Path; attributes: NotificationAttributes | null }>();
  for (const { paths, attributes } of wanted) {
    if (paths.length > 1 && (attributes === null || version === '1.2')) continue;
    for (const path of paths) {
      if (!byPath.get(String(path))?.attributes) byPath.set(String(path), { path, attributes });
    }
  }
  return byPath;
}

/** Returns the step that starts a wanted observation, or starts it again (`renew`). */
export function observeStep(wish: WantedObservation, version: Lwm2mVersion, renew: boolean): ObservingStep {
  const { key, paths, contentFormat, reasons, attributes } = wish;
  const operation: Operation = {
    kind: 'observe',
    paths,
    ...(renew && { renew }),
    ...(contentFormat === null ? {} : { contentFormat }),
    ...(attributes !== null && paths.length > 1 && version === '1.2' ? { attributes } : {}),
  };
  return { key, operation, forWatchers: reasons.every((reason) => reason === 'WATCHED') };
}

/**
 * Returns the steps that write the attributes of a wanted observation's paths, before the observation starts (Core 1.2
 * §7.3). They unset attributes that are no longer wanted. Paths that have the wanted attributes need no step.
 */
export function attributesSteps(
  { paths }: WantedObservation,
  wanted: PathAttributes,
  observed: Pick<Observed, 'written' | 'unsaved'>,
): ObservingStep[] {
  return paths.flatMap((path) => {
    const key = String(path);
    const written = observed.written.get(key) ?? null;
    const entry = wanted.get(key);
    if (!entry || sameAttributes(written, entry.attributes)) return [];
    const unset = Object.fromEntries(Object.keys(written ?? {}).map((name) => [name, null]));
    const attributes: NotificationAttributes = { ...unset, ...entry.attributes };
    return {
      key: attributesKey(key),
      operation: { kind: 'write-attributes', path, attributes },
      forWatchers: false,
      done: () => {
        if (entry.attributes) observed.written.set(key, entry.attributes);
        else observed.written.delete(key);
        observed.unsaved = true;
      },
    };
  });
}
