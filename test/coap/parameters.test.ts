import { expect, it } from 'vitest';
import { transmissionParameters } from '../../src/coap/parameters.ts';

it('derives the times of RFC 7252 §4.8.2 from the defaults', () => {
  expect(transmissionParameters()).toMatchObject({
    ackTimeoutMs: 2_000,
    ackRandomFactor: 1.5,
    maxRetransmit: 4,
    nstart: 1,
    maxLatencyMs: 100_000,
    blockSize: 1024,
    maxTransmitSpanMs: 45_000,
    maxTransmitWaitMs: 93_000,
    processingDelayMs: 2_000,
    maxRttMs: 202_000,
    exchangeLifetimeMs: 247_000,
    nonLifetimeMs: 145_000,
  });
});

it('derives longer times for a peer on NB-IoT', () => {
  expect(transmissionParameters({ ackTimeoutMs: 10_000 })).toMatchObject({
    maxTransmitSpanMs: 225_000,
    maxTransmitWaitMs: 465_000,
    exchangeLifetimeMs: 435_000,
    nonLifetimeMs: 325_000,
  });
});

it('derives them from fewer retransmissions and a shorter latency', () => {
  expect(transmissionParameters({ maxRetransmit: 1, maxLatencyMs: 10_000, ackRandomFactor: 1 })).toMatchObject({
    maxTransmitSpanMs: 2_000,
    maxTransmitWaitMs: 6_000,
    maxRttMs: 22_000,
    exchangeLifetimeMs: 24_000,
    nonLifetimeMs: 12_000,
  });
});
