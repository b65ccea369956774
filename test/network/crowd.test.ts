import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { Crowd } from '../../src/network/index.ts';

const NETWORKS = ['a', 'b', 'c'];

it('finds the oldest entry of each network, and of a network with the most entries, after any changes', () => {
  const change = fc.record({ network: fc.constantFrom(...NETWORKS), entry: fc.nat(9), isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const crowd = new Crowd<number>();
      /** The same in the simplest way. */
      const lists = new Map(NETWORKS.map((network) => [network, [] as number[]]));
      for (const { network, entry, isAdded } of changes) {
        const list = lists.get(network) ?? [];
        if (isAdded && !list.includes(entry)) list.push(entry);
        if (!isAdded && list.includes(entry)) list.splice(list.indexOf(entry), 1);
        if (isAdded) crowd.add(network, entry);
        else crowd.remove(network, entry);
        for (const [name, entries] of lists) {
          expect([crowd.count(name), crowd.oldestOf(name)]).toEqual([entries.length, entries[0]]);
        }
        const most = Math.max(...[...lists.values()].map(({ length }) => length));
        const oldest = [...lists.values()].filter(({ length }) => length === most).map(([first]) => first);
        expect(oldest).toContain(crowd.oldestOfLargest());
      }
    }),
  );
});
