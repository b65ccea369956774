import { Lwm2mError } from '../error.ts';

/** RFC 8428 §4.6: times below 2^28 are relative to now. The text of Core 1.2 differs; Leshan follows the RFC. */
export const FIRST_ABSOLUTE_TIME = 2 ** 28;
/** The last second that a JavaScript Date can represent. */
const LAST_TIME = 8.64e12;

/**
 * Converts the sum of base time and time to seconds since the Unix epoch. `now` null: the sum is never relative. Throws
 * INVALID_VALUE.
 */
export function absoluteTime(sum: number, now: number | null, offset: number): number {
  const time = now !== null && sum < FIRST_ABSOLUTE_TIME ? now + sum : sum;
  if (Math.abs(time) > LAST_TIME) throw new Lwm2mError('INVALID_VALUE', `the time ${sum} is out of range`, { offset });
  return time;
}
