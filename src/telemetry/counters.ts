import type { Refusal } from './metric-value.ts';

/** What telemetry did since the start: what a metric shows. */
export interface TelemetryCounters {
  /** Points that were stored. */
  readonly points: number;
  /** Readings and payloads set aside, by reason; `undecodable` are payloads. */
  readonly deadLetters: Readonly<Record<Refusal | 'undecodable', number>>;
}

/** The counters as telemetry itself turns them. */
export interface Counting {
  points: number;
  readonly deadLetters: Record<Refusal | 'undecodable', number>;
}

export function startCounting(): Counting {
  return {
    points: 0,
    deadLetters: {
      'not-finite': 0,
      'not-a-number': 0,
      opaque: 0,
      'not-text': 0,
      'time-out-of-range': 0,
      undecodable: 0,
    },
  };
}
