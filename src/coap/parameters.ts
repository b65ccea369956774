/** What RFC 7252 §4.8 lets be set for one peer, and the block size to propose to it. */
export interface TransmissionSettings {
  /** NB-IoT needs 4 to 15 s. */
  readonly ackTimeoutMs: number;
  readonly ackRandomFactor: number;
  readonly maxRetransmit: number;
  /** Interactions that may be outstanding to a peer at the same time. */
  readonly nstart: number;
  readonly maxLatencyMs: number;
  /** 16, 32, … 1024 bytes: the largest block sent, and asked for. */
  readonly blockSize: number;
}

/** The settings and the times that follow from them (RFC 7252 §4.8.2). */
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
