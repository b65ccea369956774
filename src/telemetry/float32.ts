/** A 32-bit float is identified by at most 9 significant digits. */
const MOST_DIGITS = 9;

/**
 * Returns the shortest decimal number that is the same 32-bit float: 230.1 for 230.10000610351562. Returns a number that
 * is no 32-bit float as it is.
 */
export function shortestFloat32(value: number): number {
  if (Math.fround(value) !== value || !Number.isFinite(value) || Number.isInteger(value)) return value;
  for (let digits = 1; digits < MOST_DIGITS; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(MOST_DIGITS));
}
