import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { seededRandom } from './network.ts';
import type { Direction } from './relay.ts';
import { storm } from './storm.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Returns the delays of each copy of forty datagrams, which are sent 100 ms apart. */
async function arrivals(seed: number, direction: Direction): Promise<number[][]> {
  const carry = storm(seededRandom(seed));
  const delays: number[][] = [];
  for (let n = 0; n < 40; n++) {
    const [sentAt, own] = [Date.now(), [] as number[]];
    delays.push(own);
    carry(Buffer.of(n), direction, () => own.push(Date.now() - sentAt));
    await vi.advanceTimersByTimeAsync(100);
  }
  await vi.runAllTimersAsync();
  return delays;
}

function fateOf([delay, ...copies]: number[]): string {
  if (delay === undefined) return 'lost';
  if (copies.length > 0) return 'doubled';
  if (delay === 0) return 'unharmed';
  return delay >= 1_000 ? 'late' : 'overtaken';
}

it.each<[Direction]>([['to the server'], ['to the device']])(
  'of forty datagrams %s, a storm loses, duplicates, delays and reorders three each',
  async (direction) => {
    const delays = await arrivals(7, direction);
    const count: Record<string, number> = {};
    for (const fate of delays.map(fateOf)) count[fate] = (count[fate] ?? 0) + 1;
    expect(count).toEqual({ lost: 3, doubled: 3, late: 3, overtaken: 3, unharmed: 28 });
  },
);

it('is the same storm for the same seed', async () => {
  expect(await arrivals(7, 'to the server')).toEqual(await arrivals(7, 'to the server'));
  expect(await arrivals(7, 'to the server')).not.toEqual(await arrivals(8, 'to the server'));
});
