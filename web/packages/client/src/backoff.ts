/** Bounds of the delay before an attempt, in milliseconds. */
export interface BackoffOptions {
  min: number;
  max: number;
}

/**
 * The delay before retry number `failures` (from 0): at least `min`, and full jitter up to a bound that doubles until
 * `max`. Full jitter spreads a crowd that lost its server at one moment better than a jittered exponential does.
 */
export function backoff(failures: number, { min, max }: BackoffOptions): number {
  const bound = Math.min(max, min * 4 * 2 ** Math.min(failures, 20));
  return min + Math.random() * Math.max(0, bound - min);
}
