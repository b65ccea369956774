import type { HandshakeReport } from './handshake.ts';

/** Of one claim, the newest: one device, or one stranger, takes no more of the room. */
const PER_CLAIM = 3;
/**
 * How many of each kind, so that none crowds out the others: sessions that were opened are proved to be a device's, a
 * failure under a credential on file takes knowing its identity, and anything else costs a stranger nothing.
 */
const ROOM = { established: 600, known: 200, strange: 200 } as const;

type Kind = keyof typeof ROOM;

function kindOf({ credential, outcome }: HandshakeReport): Kind {
  if (outcome.established) return 'established';
  return credential === null ? 'strange' : 'known';
}

/** The reports of one kind, by their claims. */
interface Portion {
  readonly claims: Map<string, HandshakeReport[]>;
  count: number;
}

/** Handshakes that wait to be recorded: a bounded number, whatever comes. */
export class PendingReports {
  #portions = emptyPortions();
  #leftOut = 0;

  get isEmpty(): boolean {
    return this.#leftOut === 0 && Object.values(this.#portions).every(({ count }) => count === 0);
  }

  add(report: HandshakeReport): void {
    const kind = kindOf(report);
    const portion = this.#portions[kind];
    const { claim } = report;
    const name = claim === null ? '' : `${claim.kind} ${claim.name}`;
    const reports = portion.claims.get(name) ?? [];
    if (reports.length === PER_CLAIM) {
      reports.shift();
      this.#leftOut++;
    } else if (portion.count === ROOM[kind]) {
      this.#leftOut++;
      return;
    } else {
      portion.count++;
    }
    reports.push(report);
    portion.claims.set(name, reports);
  }

  /** Those that wait, in the order in which they ended, and how many were left out; then nothing waits. */
  take(): { readonly reports: readonly HandshakeReport[]; readonly leftOut: number } {
    const reports = Object.values(this.#portions).flatMap(({ claims }) => [...claims.values()].flat());
    const leftOut = this.#leftOut;
    this.#portions = emptyPortions();
    this.#leftOut = 0;
    return { reports: reports.sort((a, b) => a.at - b.at), leftOut };
  }
}

function emptyPortion(): Portion {
  return { claims: new Map(), count: 0 };
}

function emptyPortions(): Readonly<Record<Kind, Portion>> {
  return { established: emptyPortion(), known: emptyPortion(), strange: emptyPortion() };
}
