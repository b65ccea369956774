export { largestTree, recordTreeSize, type RegisteredSize, type TreeSize } from './largest-tree.ts';
export { measuredOf } from './measured.ts';
export { type LimitSnapshot, ReadingLimit, type ReadingRates } from './reading-limit.ts';
export { type ReadingEvents, Readings, type ReadingsSnapshot } from './readings.ts';
export type { DeadLetter, DeviceStatusEvent, TelemetryBatch, TelemetrySink } from './telemetry-sink.ts';
export { readTree, type ResourceState, type TreeSelector } from './tree.ts';
