import type { Carriage, Direction } from './relay.ts';

type Mishap = 'lost' | 'doubled' | 'late' | 'overtaken';

const MISHAPS: readonly Mishap[] = ['lost', 'doubled', 'late', 'overtaken'];
/** In each round of this many datagrams per direction, each mishap happens three times: to 30% of them in total. */
const ROUND = 40;
/**
 * Delays in milliseconds. A late datagram arrives after its retransmission, an overtaken one after the next datagram.
 */
const LATE = { shortest: 1_000, longest: 2_500 };
const OVERTAKEN = { shortest: 5, longest: 60 };

/**
 * A network that loses, duplicates, delays or reorders 30% of the datagrams in each direction: exactly twelve of every
 * forty, in an order from `random`. The exact number guarantees that no flight is lost for ever.
 */
export function storm(random: () => number): Carriage {
  const rounds: Record<Direction, (Mishap | null)[]> = { 'to the server': [], 'to the device': [] };
  const between = ({ shortest, longest }: typeof LATE): number => shortest + random() * (longest - shortest);
  return (_datagram, direction, deliver) => {
    if (rounds[direction].length === 0) rounds[direction] = round(random);
    switch (rounds[direction].pop()) {
      case 'lost':
        return;
      case 'doubled':
        deliver();
        setTimeout(deliver, between(random() < 0.5 ? LATE : OVERTAKEN));
        return;
      case 'late':
        setTimeout(deliver, between(LATE));
        return;
      case 'overtaken':
        setTimeout(deliver, between(OVERTAKEN));
        return;
      default:
        deliver();
    }
  };
}

function round(random: () => number): (Mishap | null)[] {
  const fates = Array.from({ length: ROUND }, (_, n) => (n < 12 ? (MISHAPS[n % MISHAPS.length] ?? null) : null));
  return fates
    .map((fate) => ({ fate, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ fate }) => fate);
}
