import type { Timer } from '../../clock.ts';
import type { NotificationAttributes } from '../../lwm2m/index.ts';
import { Refusals } from './refusals.ts';

/** The memory of a registered device. A device without anything to remember has none: there are many devices. */
export interface Observed {
  /** Observations that a command ended: not started until the device registers again or somebody asks again. */
  readonly cancelled: Set<string>;
  /** Observations that a running command starts or ends: reconciling leaves them alone meanwhile. */
  readonly commanded: Set<string>;
  readonly refused: Refusals;
  /** The attributes written to the device, by path. */
  readonly written: Map<string, NotificationAttributes>;
  /** True if `written` changed since it was saved. */
  unsaved: boolean;
  failures: number;
  /** Runs while the device does not answer: it is not asked for anything meanwhile. */
  retry: Timer | null;
  /** Runs until the earliest next try of a refused step. */
  refusedRetry: Timer | null;
  /** Runs until the device may get the next request for watchers. */
  postponed: Timer | null;
  /** The running observations that were started for watchers alone, by key. */
  readonly forWatchers: Set<string>;
  running: boolean;
  again: boolean;
}

/** Makes the memory of a device of which nothing is remembered yet. */
export function newObserved(): Observed {
  return {
    cancelled: new Set(),
    commanded: new Set(),
    refused: new Refusals(),
    written: new Map(),
    unsaved: false,
    failures: 0,
    retry: null,
    refusedRetry: null,
    postponed: null,
    forWatchers: new Set(),
    running: false,
    again: false,
  };
}

/** True if the memory can be dropped, because it holds nothing. */
export function isBlank(observed: Observed): boolean {
  const { cancelled, commanded, refused, written, forWatchers, failures, retry, postponed, again } = observed;
  const remembered = cancelled.size + commanded.size + refused.size + written.size + forWatchers.size + failures;
  return remembered === 0 && retry === null && postponed === null && !again;
}
