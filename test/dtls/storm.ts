import type { Carriage, Direction } from './relay.ts';

type Mishap = 'lost' | 'doubled' | 'late' | 'overtaken';

const MISHAPS: readonly Mishap[] = ['lost', 'doubled', 'late', 'overtaken'];
/** Datagrams of one direction among which each mishap happens three times: 30% of them in all. */
const ROUND = 40;
/** Milliseconds: late comes after the sender has sent again, overtaken after what was sent next. */
const LATE = { shortest: 1_000, longest: 2_500 };
const OVERTAKEN = { shortest: 5, longest: 60 };

/**
 * A network that loses, doubles, delays and reorders 30% of the datagrams of each direction: of every forty just twelve,
 * in an order that `random` makes, so that no flight is lost for ever.
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
