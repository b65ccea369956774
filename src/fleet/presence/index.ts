export { createAdmission } from './admission.ts';
export { AwakeTimes } from './awake-times.ts';
export { tryComposite } from './composite-support.ts';
export { Presence } from './presence.ts';
export { endUnprovenRegistrations } from './proven-registrations.ts';
export {
  type DeviceRegistration,
  deviceRegistrationOfRow,
  observationOfRow,
  rowOfObservation,
} from './registration-row.ts';
export { Registrations } from './registrations.ts';
export { type LiveDevice, Roster } from './roster.ts';
