import type { HandshakeReport } from './handshake.ts';

/** Most reports of one claim; the newest are kept. So one device or one stranger can't fill the room alone. */
const PER_CLAIM = 3;
/**
 * Most reports of each kind. No kind can use the room of another. `established`: the client proved to be the device.
 * `known`: the handshake failed, but the client named a valid credential, so it knows an identity. `strange`: all other
 * failures; anyone can cause them.
 */
const ROOM = { established: 600, known: 200, strange: 200 } as const;

type Kind = keyof typeof ROOM;

function kindOf({ credential, outcome }: HandshakeReport): Kind {
  if (outcome.established) return 'established';
  return credential === null ? 'strange' : 'known';
}

/** The waiting reports of one kind, grouped by claim. */
interface Portion {
  readonly claims: Map<string, HandshakeReport[]>;
  count: number;
}

/** The reports of handshakes that wait to be written. Their number is limited. */
export class PendingReports {
  #portions = emptyPortions();
  #leftOut = 0;

  get isEmpty(): boolean {
    return this.#leftOut === 0 && Object.values(this.#portions).every(({ count }) => count === 0);
  }

  /** Adds a report. If its claim is full, the oldest of the claim is dropped; if its kind is full, the report is. */
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

  /** Removes and returns the waiting reports, in the order in which they ended, and the number of dropped reports. */
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
