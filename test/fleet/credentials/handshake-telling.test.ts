import { beforeEach, describe, expect, it } from 'vitest';
import { HandshakeLog, type HandshakeReport } from '../../../src/fleet/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { ManualClock } from '../../manual-clock.ts';
import { reachedStore } from '../reached-store.ts';

const REFUSED = { established: false, alert: 'decrypt_error', reason: 'the key is another' } as const;

let clock: ManualClock;
/** The level and the details of what was logged. */
let logged: [string, object][];
/** How often the log wrote to the database. */
let writes: number;

beforeEach(() => {
  clock = new ManualClock();
  logged = [];
  writes = 0;
});

const level = (name: string) => (details: object) => void logged.push([name, details]);

function logOver(store: Store): HandshakeLog {
  return new HandshakeLog({ store, clock, log: { info: level('info'), warn: level('warn'), error: level('error') } });
}

/** A handshake log over a database that knows none of the claims, so that it names every report in the process log. */
function logOfStrangers(strangers: readonly HandshakeReport[], during: () => void = () => {}): HandshakeLog {
  return logOver({
    ...reachedStore,
    async asSystem<T>(): Promise<T> {
      writes++;
      during();
      return strangers as T; // the type that the log's own work resolves with
    },
  });
}

function report(name: string, details: Partial<HandshakeReport> = {}): HandshakeReport {
  return {
    at: clock.now(),
    durationMs: 1,
    from: { address: '192.0.2.7', port: 56_830 },
    suite: null,
    resumed: false,
    claim: { kind: 'psk', name },
    credential: null,
    outcome: REFUSED,
    ...details,
  };
}

function many(count: number): HandshakeReport[] {
  return Array.from({ length: count }, (_, n) => report(`stranger ${n}`));
}

describe('the handshake log names, for unknown devices,', () => {
  it('the address, the kind of the claim and the alert, without the name', async () => {
    const one = report('stranger');
    const log = logOfStrangers([one, report('', { claim: null })]);
    log.record(one);
    await log.stop();
    const details = { address: '192.0.2.7', port: 56_830, alert: 'decrypt_error' };
    expect(logged).toEqual([
      ['info', { ...details, kind: 'psk' }],
      ['info', { ...details, kind: undefined }],
    ]);
  });

  it('nothing when the handshake was established', async () => {
    const one = report('stranger', { outcome: { established: true } });
    const log = logOfStrangers([one]);
    log.record(one);
    await log.stop();
    expect(logged).toEqual([]);
  });

  it('the first ten one by one, and then only how many more there were', async () => {
    for (const [count, more] of [
      [10, []],
      [13, [['warn', { handshakes: 3 }]]],
    ] as const) {
      logged = [];
      const strangers = many(count);
      const log = logOfStrangers(strangers);
      log.record(report('one'));
      await log.stop();
      expect(logged.filter(([level]) => level === 'info')).toHaveLength(10);
      expect(logged.slice(10)).toEqual(more);
    }
  });

  it('how many reports were dropped before they were written', async () => {
    const log = logOfStrangers(many(11));
    for (let n = 0; n < 5; n++) log.record(report('the same'));
    await log.stop();
    expect(logged.at(-1)).toEqual(['warn', { handshakes: 3 }]);
  });
});

describe('the handshake log writes', () => {
  it('once, a second after the first report', async () => {
    const log = logOfStrangers([]);
    log.record(report('one'));
    await clock.advance(999);
    log.record(report('two'));
    expect(writes).toBe(0);
    await clock.advance(1);
    expect(writes).toBe(1);
    await clock.advance(10_000);
    expect(writes).toBe(1);
    expect(clock.pendingCount).toBe(0);
  });

  it('a second later what came during a write', async () => {
    const late = (): void => {
      if (writes === 1) log.record(report('late'));
    };
    const log = logOfStrangers([], late);
    log.record(report('one'));
    await clock.advance(1_000);
    expect(writes).toBe(1);
    await clock.advance(1_000);
    expect(writes).toBe(2);
  });

  it('again after a time with nothing to write', async () => {
    const log = logOfStrangers([]);
    for (const expected of [1, 2]) {
      log.record(report('one'));
      await clock.advance(1_000);
      expect(writes).toBe(expected);
    }
  });

  it('nothing when there is no report', async () => {
    const log = logOfStrangers([]);
    await log.stop();
    expect(writes).toBe(0);
  });

  it('what waits when it stops, and then has no timer', async () => {
    const log = logOfStrangers([]);
    log.record(report('one'));
    await log.stop();
    expect(writes).toBe(1);
    expect(clock.pendingCount).toBe(0);
  });

  it('again after the database failed, and logs how many handshakes were lost', async () => {
    const log = logOver(reachedStore);
    for (const name of ['one', 'two']) log.record(report(name));
    await clock.advance(1_000);
    expect(logged).toEqual([['error', { err: expect.any(Error), handshakes: 2 }]]);
    log.record(report('three'));
    await log.stop();
    expect(logged.at(-1)).toEqual(['error', { err: expect.any(Error), handshakes: 1 }]);
  });
});
