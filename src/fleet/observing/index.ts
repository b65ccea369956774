export { ObservationRecords } from './observation-records.ts';
export { ObservationRequests } from './observation-requests.ts';
export { WrittenAttributes } from './written-attributes.ts';
export { Observing } from './observing.ts';
export type { ObservingSettings, ObservingSnapshot } from './observing-parts.ts';
export type { WatchState } from './watch-state.ts';
export type { DeviceObservation, WantedState } from './wanted.ts';
