import { expect, it } from 'vitest';
import { transmissionParameters } from '../../src/coap/parameters.ts';

it('derives the times of RFC 7252 §4.8.2 from the defaults', () => {
  expect(transmissionParameters()).toMatchObject({
    ackTimeoutMs: 2_000,
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
