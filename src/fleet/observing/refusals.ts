/** The answer of a device that refused a step, or that ended an observation. */
export interface RefusalAnswer {
  /** The CoAP code: `5.03`. Null when the answer was of no use, such as a payload that can't be decoded. */
  readonly code: string | null;
  readonly message: string | null;
  /** The Max-Age of the response, in seconds; null without one. */
  readonly maxAge: number | null;
}

/** Why a step is not taken now, and when it is tried again. */
export interface Refusal extends RefusalAnswer {
  /** The time of the next try, in milliseconds since the epoch. Null: not before the device registers or changes its objects. */
  readonly nextTry: number | null;
  /** The number of refusals in a row. */
  readonly failures: number;
  readonly at: number;
}

const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 3_600_000;
/** A device can't postpone a try by more than this with Max-Age, which has 32 bits. */
const LONGEST_MAX_AGE_MS = 24 * LAST_RETRY_MS;
/** RFC 7252 §5.10.5: the Max-Age of a response without the option. */
const DEFAULT_MAX_AGE_S = 60;
/** Codes whose Max-Age says when to try again: 5.03 (RFC 7252 §5.9.3.4) and 4.29 (RFC 8516 §3). */
const WITH_MAX_AGE = new Set(['5.03', '4.29']);
/** Server errors that do not pass: Not Implemented and Proxying Not Supported (RFC 7252 §5.9.3). */
const LASTING_SERVER_ERRORS = new Set(['5.01', '5.05']);

/** True for an error that may pass without a change of the device's objects. */
function isTransient(code: string | null): boolean {
  if (code === null) return false;
  return code === '4.29' || (code.startsWith('5.') && !LASTING_SERVER_ERRORS.has(code));
}

/**
 * Returns how long the next try waits after so many failures: 5 seconds, then twice as long each time, up to an hour.
 * Up to a quarter is added at random, so that devices that failed together are not tried together.
 */
export function backOff(failures: number, random: () => number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS) * (1 + random() / 4);
}

/** Makes the refusal of a step that the device answered with an error. */
export function refusalOf(
  answer: RefusalAnswer,
  before: Refusal | undefined,
  now: number,
  random: () => number,
): Refusal {
  const failures = failuresAfter(before, now);
  if (!isTransient(answer.code)) return { ...answer, failures, at: now, nextTry: null };
  const maxAge = WITH_MAX_AGE.has(answer.code ?? '') ? (answer.maxAge ?? DEFAULT_MAX_AGE_S) * 1_000 : 0;
  const least = Math.min(maxAge, LONGEST_MAX_AGE_MS) * (1 + random() / 4);
  return { ...answer, failures, at: now, nextTry: now + Math.max(backOff(failures, random), least) };
}

/**
 * Makes the refusal of an observation that the device ended. It ran before, so that it is tried again whatever the code
 * was; the response to that try decides what follows.
 */
export function endedRefusal(
  code: string | null,
  before: Refusal | undefined,
  now: number,
  random: () => number,
): Refusal {
  const failures = failuresAfter(before, now);
  return { code, message: null, maxAge: null, failures, at: now, nextTry: now + backOff(failures, random) };
}

/** A refusal that is older than the longest wait does not count: the step succeeded for a long time since. */
function failuresAfter(before: Refusal | undefined, now: number): number {
  if (!before || now - Math.max(before.at, before.nextTry ?? 0) > LAST_RETRY_MS) return 1;
  return before.failures + 1;
}

/** The refused steps of one device, by key of the step. */
export class Refusals {
  readonly #byKey = new Map<string, Refusal>();

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Refusal | undefined {
    return this.#byKey.get(key);
  }

  set(key: string, refusal: Refusal): void {
    this.#byKey.set(key, refusal);
  }

  delete(key: string): void {
    this.#byKey.delete(key);
  }

  /** Drops the refusals that have no next try. */
  deleteLasting(): void {
    for (const [key, { nextTry }] of this.#byKey) if (nextTry === null) this.#byKey.delete(key);
  }

  /** Drops the refusals of steps that are no longer wanted, so that their number has a limit. */
  keepOnly(wanted: (key: string) => boolean): void {
    for (const key of this.#byKey.keys()) if (!wanted(key)) this.#byKey.delete(key);
  }

  /** True if the step must not be taken now. */
  blocks(key: string, now: number): boolean {
    const refusal = this.#byKey.get(key);
    return refusal !== undefined && (refusal.nextTry === null || refusal.nextTry > now);
  }

  /** The earliest next try after `now`; null if there is none. */
  nextTry(now: number): number | null {
    const times = [...this.#byKey.values()].flatMap(({ nextTry }) =>
      nextTry !== null && nextTry > now ? nextTry : [],
    );
    return times.length > 0 ? Math.min(...times) : null;
  }
}
