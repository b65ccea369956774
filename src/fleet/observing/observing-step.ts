import type { NotificationAttributes, Operation } from '../../lwm2m/index.ts';
import { sameAttributes } from '../objects/index.ts';
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

/** Returns the key of the step that writes the attributes of an observation. */
export function attributesKey(key: string): string {
  return `attributes of ${key}`;
}

/** Returns the step that starts a wanted observation. */
export function observeStep(wish: WantedObservation): ObservingStep {
  const { key, paths, contentFormat, reasons } = wish;
  const operation: Operation = { kind: 'observe', paths, ...(contentFormat === null ? {} : { contentFormat }) };
  return { key, operation, forWatchers: reasons.every((reason) => reason === 'WATCHED') };
}

/**
 * Returns the step that writes the attributes of a wanted observation, before the observation starts (Core 1.2 §7.3).
 * The step unsets attributes that are no longer wanted. Null if the device already has the wanted attributes, or if the
 * observation has several paths.
 */
export function attributesStep(
  wish: WantedObservation,
  writtenBefore: Map<string, NotificationAttributes>,
): ObservingStep | null {
  const [path, ...others] = wish.paths;
  if (!path || others.length > 0) return null;
  const written = writtenBefore.get(wish.key) ?? null;
  if (sameAttributes(written, wish.attributes)) return null;
  const unset = Object.fromEntries(Object.keys(written ?? {}).map((name) => [name, null]));
  const attributes: NotificationAttributes = { ...unset, ...wish.attributes };
  return {
    key: attributesKey(wish.key),
    operation: { kind: 'write-attributes', path, attributes },
    forWatchers: false,
    done: () => {
      if (wish.attributes) writtenBefore.set(wish.key, wish.attributes);
      else writtenBefore.delete(wish.key);
    },
  };
}
