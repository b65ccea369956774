export { ObservationRecords } from './observation-records.ts';
export { ObservationRequests } from './observation-requests.ts';
export { Observing, type ObservingSettings, type ObservingSnapshot } from './observing.ts';
export type { DeviceObservation, WantedState } from './wanted.ts';
