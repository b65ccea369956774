/**
 * The source of time and timers for all modules. It is injected, so that a test of a 93-second window takes milliseconds.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `task` once after `ms` milliseconds; the timer never keeps the process alive. */
  after(ms: number, task: () => void): Timer;
}

export interface Timer {
  /** Idempotent. A cancelled timer never runs its task. */
  cancel(): void;
}

/** Resolves with the answer, or with null after `ms` milliseconds; rejects when the answer does. */
export function answerWithin<T>(ms: number, answer: Promise<T>, clock: Clock): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const late = clock.after(ms, () => resolve(null));
    answer.then(resolve, reject).finally(() => late.cancel());
  });
}

/** setTimeout takes a signed 32-bit delay: a longer one would fire immediately. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    let handle: NodeJS.Timeout;
    const arm = (left: number): void => {
      const delay = Math.min(left, LONGEST_DELAY_MS);
      handle = setTimeout(() => (left > delay ? arm(left - delay) : task()), delay);
      handle.unref();
    };
    arm(Math.max(0, ms));
    return { cancel: () => clearTimeout(handle) };
  },
};
