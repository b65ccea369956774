import { beforeEach, describe, expect, it } from 'vitest';
import type { HandshakeReport } from '../../../src/fleet/credentials/handshake.ts';
import { PendingReports } from '../../../src/fleet/credentials/pending-reports.ts';

const REFUSED = { established: false, alert: null, reason: 'the key is another' } as const;
/** The details of a report of each kind, and how many reports of the kind may wait. */
const KINDS = [
  ['established', { credential: 'c', outcome: { established: true } }, 600],
  ['known', { credential: 'c', outcome: REFUSED }, 200],
  ['strange', { credential: null, outcome: REFUSED }, 200],
] as const;

let pending: PendingReports;
beforeEach(() => {
  pending = new PendingReports();
});

function report(at: number, details: Partial<HandshakeReport> = {}): HandshakeReport {
  return {
    at,
    durationMs: 1,
    from: { address: '192.0.2.7', port: 56_830 },
    suite: null,
    resumed: false,
    claim: { kind: 'psk', name: 'device' },
    credential: null,
    outcome: REFUSED,
    ...details,
  };
}

/** Makes reports of so many claims. */
function fill(many: number, details: Partial<HandshakeReport>): void {
  for (let n = 0; n < many; n++) pending.add(report(n, { ...details, claim: { kind: 'psk', name: `device ${n}` } }));
}

function times(): number[] {
  return pending.take().reports.map(({ at }) => at);
}

describe('reports that wait', () => {
  it('are taken once', () => {
    expect(pending.isEmpty).toBe(true);
    const one = report(1);
    pending.add(one);
    expect(pending.isEmpty).toBe(false);
    expect(pending.take()).toEqual({ reports: [one], leftOut: 0 });
    expect(pending.isEmpty).toBe(true);
    expect(pending.take()).toEqual({ reports: [], leftOut: 0 });
  });

  it.each(KINDS)('are found when there is one of the kind %s', (_kind, details) => {
    pending.add(report(1, details));
    expect(pending.isEmpty).toBe(false);
    expect(times()).toEqual([1]);
  });

  it('are taken in the order in which they ended, whatever their kinds and claims', () => {
    const [established, known, strange] = KINDS.map(([, details]) => details);
    pending.add(report(3, strange));
    pending.add(report(1, known));
    pending.add(report(4, { ...known, claim: { kind: 'psk', name: 'another' } }));
    pending.add(report(2, established));
    expect(times()).toEqual([1, 2, 3, 4]);
  });

  it('are at most three of a claim, the newest', () => {
    for (const at of [1, 2, 3, 4, 5]) pending.add(report(at));
    const { reports, leftOut } = pending.take();
    expect(reports.map(({ at }) => at)).toEqual([3, 4, 5]);
    expect(leftOut).toBe(2);
  });

  it('count a name of another kind as another claim, and reports without a claim as one', () => {
    for (const at of [1, 2, 3]) pending.add(report(at));
    pending.add(report(4, { claim: { kind: 'x509', name: 'device' } }));
    for (const at of [5, 6, 7, 8]) pending.add(report(at, { claim: null }));
    expect(times()).toEqual([1, 2, 3, 4, 6, 7, 8]);
  });

  it.each(KINDS)('of the kind %s are bounded in number', (_kind, details, room) => {
    fill(room + 2, details);
    const { reports, leftOut } = pending.take();
    expect(reports.map(({ at }) => at)).toEqual(Array.from({ length: room }, (_, n) => n));
    expect(leftOut).toBe(2);
  });

  it('of one kind leave room for the others', () => {
    for (const [, details, room] of KINDS) fill(room, details);
    const { reports, leftOut } = pending.take();
    expect(reports).toHaveLength(1_000);
    expect(leftOut).toBe(0);
  });

  it('of a full kind give way to newer ones of the same claim', () => {
    const [, details, room] = KINDS[2];
    for (const at of [-3, -2, -1]) pending.add(report(at, details));
    fill(room - 3, details);
    pending.add(report(1_000, details));
    const { reports, leftOut } = pending.take();
    expect(reports).toHaveLength(room);
    expect(reports.slice(0, 2).map(({ at }) => at)).toEqual([-2, -1]);
    expect(reports.at(-1)?.at).toBe(1_000);
    expect(leftOut).toBe(1);
  });

  it('can be added again after the others were taken', () => {
    const [, details, room] = KINDS[1];
    fill(room + 1, details);
    pending.take();
    fill(room, details);
    const { reports, leftOut } = pending.take();
    expect(reports).toHaveLength(room);
    expect(leftOut).toBe(0);
  });
});
