export type { TelemetryCounters } from './counters.ts';
export { TelemetryError, type TelemetryErrorCode } from './error.ts';
export type { HistoryFilter, TelemetryHistory } from './history.ts';
export { isTimestampSuspect, type TelemetryEvents, type TelemetryPoint } from './point.ts';
export type { PublisherSnapshot } from './publisher.ts';
export { createTelemetry, type Telemetry, type TelemetryOptions } from './telemetry.ts';
export type { DeadLetterEntry } from './letter-page.ts';
export { BROKER_STATES, type BrokerState } from './broker-health.ts';
