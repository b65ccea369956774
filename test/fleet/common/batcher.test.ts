import { describe, expect, it } from 'vitest';
import { Batcher } from '../../../src/fleet/common/batcher.ts';
import { StoreError } from '../../../src/store/index.ts';

interface Item {
  readonly tenant: string;
  readonly row: string;
}

function recording(fails: (items: readonly Item[]) => boolean = () => false) {
  const batches: string[] = [];
  const batcher = new Batcher<Item, string>({
    lane: (item) => item.tenant,
    key: (item) => item.row,
    largestBatch: 3,
    mostWaiting: 6,
    async run(lane, items) {
      batches.push(`${lane}:${items.map((item) => item.row).join()}`);
      await Promise.resolve();
      if (fails(items)) throw new Error(`bad ${items.map((item) => item.row).join()}`);
      return items.map((item) => item.row.toUpperCase());
    },
  });
  return { batches, batcher };
}

const isBad = (item: number): boolean => item >= 3 && item < 20;

const row = (name: string, tenant = 'acme'): Item => ({ tenant, row: name });

describe('the batcher', () => {
  it('groups what arrives together by lane, and answers each item', async () => {
    const { batches, batcher } = recording();
    const results = await Promise.all([row('a'), row('b'), row('x', 'globex')].map((item) => batcher.add(item)));
    expect(results).toEqual(['A', 'B', 'X']);
    expect(batches).toEqual(['acme:a,b', 'globex:x']);
  });

  it('cuts a batch at its largest size and before a repeated key, keeping the order', async () => {
    const { batches, batcher } = recording();
    await Promise.all(['a', 'b', 'a', 'c', 'd', 'e'].map((name) => batcher.add(row(name))));
    expect(batches).toEqual(['acme:a,b', 'acme:a,c,d', 'acme:e']);
  });

  it('rejects a bad item without rejecting the others', async () => {
    const { batcher } = recording((items) => items.some((item) => item.row === 'bad'));
    const results = await Promise.allSettled(['a', 'bad', 'c'].map((name) => batcher.add(row(name))));
    expect(results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason)))).toEqual([
      'A',
      'Error: bad bad',
      'C',
    ]);
  });

  it('loses only the bad items, however many are in a row', async () => {
    const batcher = new Batcher<number, number>({
      lane: () => 'acme',
      async run(_, items) {
        if (items.some(isBad)) throw new TypeError('bad');
        return [...items];
      },
    });
    const items = Array.from({ length: 64 }, (_, n) => n);
    const results = await Promise.allSettled(items.map((item) => batcher.add(item)));
    expect(results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))).toEqual(
      items.filter((item) => !isBad(item)),
    );
  });

  it.each([
    new StoreError('LOST', 'the connection broke'),
    new StoreError('UNREACHABLE', 'refused'),
    ...['08006', '53300', '53100', '57P01', '58030'].map((sqlState) => new StoreError('QUERY', sqlState, { sqlState })),
  ])('asks a database that is unavailable once per batch: $message', async (unavailable) => {
    const batches: string[][] = [];
    const batcher = new Batcher<string, void>({
      lane: () => 'acme',
      run: async (_, items) => {
        batches.push([...items]);
        throw unavailable;
      },
    });
    const results = await Promise.allSettled([...'abcdefgh'].map((name) => batcher.add(name)));
    expect(results.map((result) => result.status === 'rejected' && result.reason)).toEqual(
      [...'abcdefgh'].map(() => unavailable),
    );
    expect(batches).toEqual([[...'abcdefgh']]);
  });

  it('stops when the database becomes unavailable while it looks for the bad item', async () => {
    const asked: string[] = [];
    const batcher = new Batcher<string, void>({
      lane: () => 'acme',
      run: async (_, items) => {
        asked.push(items.join(''));
        throw asked.length === 1
          ? new StoreError('QUERY', 'bad', { sqlState: '22003' })
          : new StoreError('LOST', 'away');
      },
    });
    const results = await Promise.allSettled([...'abcd'].map((name) => batcher.add(name)));
    expect(results.every((result) => result.status === 'rejected')).toBe(true);
    expect(asked).toEqual(['abcd', 'ab']);
  });

  it('refuses more than it may hold, and is empty when idle', async () => {
    const { batcher } = recording();
    const kept = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => batcher.add(row(name)));
    await expect(batcher.add(row('g'))).rejects.toThrow('too many writes wait');
    await batcher.idle();
    expect(await Promise.all(kept)).toHaveLength(6);
    expect(batcher.snapshot()).toEqual({ waiting: 0, running: 0 });
  });
});
