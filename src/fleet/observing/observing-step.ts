import type { NotificationAttributes, Operation } from '../../lwm2m/index.ts';
import { sameAttributes } from '../objects/index.ts';
import type { WantedObservation } from './wanted.ts';

/** One thing to ask of a device so that what runs comes closer to what is wanted. */
export interface ObservingStep {
  readonly key: string;
  readonly operation: Operation;
  /** Called when the device took it. */
  readonly done?: () => void;
}

/** Starts a wanted observation. */
export function observeStep(wish: WantedObservation): ObservingStep {
  const { key, paths, contentFormat } = wish;
  return { key, operation: { kind: 'observe', paths, ...(contentFormat === null ? {} : { contentFormat }) } };
}

/**
 * Attributes go before the observation that they are for (Core 1.2 §7.3); those no longer wanted are unset. Null when the
 * device has them as they are wanted.
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
    key: `attributes of ${wish.key}`,
    operation: { kind: 'write-attributes', path, attributes },
    done: () => {
      if (wish.attributes) writtenBefore.set(wish.key, wish.attributes);
      else writtenBefore.delete(wish.key);
    },
  };
}
