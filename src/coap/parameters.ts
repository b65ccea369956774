/** The transmission parameters of RFC 7252 §4.8 for one peer, and its block size. */
export interface TransmissionSettings {
  /** 2 s by default; NB-IoT needs 4 to 15 s. */
  readonly ackTimeoutMs: number;
  readonly ackRandomFactor: number;
  readonly maxRetransmit: number;
  /** The number of simultaneous outstanding interactions with a peer. */
  readonly nstart: number;
  readonly maxLatencyMs: number;
  /** 16, 32, … 1024 bytes: the largest block that is sent and requested. */
  readonly blockSize: number;
}

/** The settings and the times derived from them (RFC 7252 §4.8.2). */
export interface TransmissionParameters extends TransmissionSettings {
  readonly maxTransmitSpanMs: number;
  readonly maxTransmitWaitMs: number;
  readonly processingDelayMs: number;
  readonly maxRttMs: number;
  readonly exchangeLifetimeMs: number;
  readonly nonLifetimeMs: number;
}

const RFC_7252: TransmissionSettings = {
  ackTimeoutMs: 2_000,
  ackRandomFactor: 1.5,
  maxRetransmit: 4,
  nstart: 1,
  maxLatencyMs: 100_000,
  blockSize: 1024,
};

export function transmissionParameters(settings: Partial<TransmissionSettings> = {}): TransmissionParameters {
  const set = { ...RFC_7252, ...settings };
  const maxTransmitSpanMs = set.ackTimeoutMs * (2 ** set.maxRetransmit - 1) * set.ackRandomFactor;
  const processingDelayMs = set.ackTimeoutMs;
  return {
    ...set,
    maxTransmitSpanMs,
    maxTransmitWaitMs: set.ackTimeoutMs * (2 ** (set.maxRetransmit + 1) - 1) * set.ackRandomFactor,
    processingDelayMs,
    maxRttMs: 2 * set.maxLatencyMs + processingDelayMs,
    exchangeLifetimeMs: maxTransmitSpanMs + 2 * set.maxLatencyMs + processingDelayMs,
    nonLifetimeMs: maxTransmitSpanMs + set.maxLatencyMs,
  };
}
