export type { HistoryFilter, TelemetryHistory } from './history.ts';
export type { TelemetryEvents, TelemetryPoint } from './point.ts';
