import type { Registration } from '../../lwm2m/index.ts';
import type { DeviceId } from '../access/index.ts';
import type { RegistrationProblem, RegistrationProblemKind } from './registration-problem.ts';

/** A problem as it happened once. */
export interface ProblemReport extends Pick<RegistrationProblem, 'endpoint' | 'kind' | 'code' | 'reason'> {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly peer: Registration['peer'];
  /** Null: the credential or the endpoint name tells the device. */
  readonly deviceId: DeviceId | null;
}

/** A problem that waits to be written, with its number of repetitions. `report` is the last one. */
export interface WaitingProblem {
  report: ProblemReport;
  count: number;
  readonly firstAt: number;
  lastAt: number;
}

/** The most different problems that wait: over NoSec of one network, over NoSec together, and of proved identities. */
const ROOM_PER_NETWORK = 20;
const ROOM_NOSEC = 200;
const ROOM_PROVED = 400;

const KINDS: readonly RegistrationProblemKind[] = [
  'MALFORMED',
  'UNSUPPORTED',
  'ENDPOINT_MISMATCH',
  'UNKNOWN_ENDPOINT',
  'SECURITY_REQUIRED',
  'CREDENTIAL_ENDED',
  'LIMIT',
  'DISPLACED',
];

/** The problems that wait to be written, equal ones counted as one. Their number is limited. */
export class PendingProblems {
  readonly #counts = new Map<RegistrationProblemKind, number>(KINDS.map((kind) => [kind, 0]));
  /** Since the start, and since the last `take`. */
  #leftOut = 0;
  #newlyLeftOut = 0;
  #waiting = new Map<string, WaitingProblem>();
  /** How many different problems over NoSec wait, by network. */
  #byNetwork = new Map<string, number>();
  #noSec = 0;

  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#newlyLeftOut === 0;
  }

  add(report: ProblemReport, network: string): void {
    const { kind, endpoint, reason, deviceId, peer, at } = report;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    const from = peer.security === null ? network : peer.security.credential;
    const key = JSON.stringify([kind, deviceId, endpoint, reason, from]);
    const same = this.#waiting.get(key);
    if (same) {
      same.report = report;
      same.count++;
      same.lastAt = at;
      return;
    }
    const noSec = peer.security === null;
    const ofNetwork = this.#byNetwork.get(network) ?? 0;
    const full = noSec
      ? ofNetwork >= ROOM_PER_NETWORK || this.#noSec >= ROOM_NOSEC
      : this.#waiting.size - this.#noSec >= ROOM_PROVED;
    if (full) {
      this.#leftOut++;
      this.#newlyLeftOut++;
      return;
    }
    if (noSec) {
      this.#byNetwork.set(network, ofNetwork + 1);
      this.#noSec++;
    }
    this.#waiting.set(key, { report, count: 1, firstAt: at, lastAt: at });
  }

  /** Removes and returns the waiting problems, and the number of those that were left out since the last call. */
  take(): { readonly problems: readonly WaitingProblem[]; readonly leftOut: number } {
    const taken = { problems: [...this.#waiting.values()], leftOut: this.#newlyLeftOut };
    this.#waiting = new Map();
    this.#byNetwork = new Map();
    this.#noSec = 0;
    this.#newlyLeftOut = 0;
    return taken;
  }

  snapshot(): { readonly counts: Readonly<Record<RegistrationProblemKind, number>>; readonly leftOut: number } {
    // The cast is safe: the map has every kind.
    const counts = Object.fromEntries(this.#counts) as Record<RegistrationProblemKind, number>;
    return { counts, leftOut: this.#leftOut };
  }
}
