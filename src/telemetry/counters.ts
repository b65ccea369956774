import type { Refusal } from './metric-value.ts';

/** The counters of telemetry since the start, for the metrics page. */
export interface TelemetryCounters {
  /** Stored points. */
  readonly points: number;
  /** Points that were not stored, because the device had already reported them. */
  readonly repeated: number;
  /** Dead letters by reason; `undecodable` counts payloads, the other reasons count readings. */
  readonly deadLetters: Readonly<Record<Refusal | 'undecodable', number>>;
  /** Dead letters that were counted but not stored, by whose limit was reached. */
  readonly lettersNotStored: Readonly<Record<'device' | 'tenant', number>>;
}

/** The counters as telemetry increments them. */
export interface Counting {
  points: number;
  repeated: number;
  readonly deadLetters: Record<Refusal | 'undecodable', number>;
  readonly lettersNotStored: Record<'device' | 'tenant', number>;
}

export function startCounting(): Counting {
  return {
    points: 0,
    repeated: 0,
    deadLetters: {
      'not-finite': 0,
      'not-a-number': 0,
      opaque: 0,
      inexact: 0,
      'not-text': 0,
      'time-out-of-range': 0,
      undecodable: 0,
    },
    lettersNotStored: { device: 0, tenant: 0 },
  };
}
