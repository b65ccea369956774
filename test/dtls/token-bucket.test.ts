import { expect, it } from 'vitest';
import { TokenBucket } from '../../src/dtls/token-bucket.ts';
import { ManualClock } from '../manual-clock.ts';

function taken(bucket: TokenBucket, tries: number): number {
  return Array.from({ length: tries }, () => bucket.take()).filter(Boolean).length;
}

it('a token bucket lets as many through at once as in a second', () => {
  expect(taken(new TokenBucket(new ManualClock(), 5), 10)).toBe(5);
});

it('a token bucket lets one more through for each part of a second that passes', async () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(clock, 5);
  taken(bucket, 5);
  await clock.advance(199);
  expect(bucket.take()).toBe(false);
  await clock.advance(1);
  expect([bucket.take(), bucket.take()]).toEqual([true, false]);
  await clock.advance(400);
  expect(taken(bucket, 10)).toBe(2);
});

it('a token bucket saves up no more than a second', async () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket(clock, 5);
  await clock.advance(60_000);
  expect(taken(bucket, 20)).toBe(5);
});

it('a token bucket loses nothing when the clock is set back', async () => {
  let now = 10_000;
  const bucket = new TokenBucket({ now: () => now, after: () => ({ cancel: () => {} }) }, 5);
  taken(bucket, 4);
  now = 5_000;
  expect([bucket.take(), bucket.take()]).toEqual([true, false]);
  now = 5_200;
  expect(bucket.take()).toBe(true);
});
