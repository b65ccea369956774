export { createAdmission } from './admission.ts';
export { AwakeTimes } from './awake-times.ts';
export { tryComposite } from './composite-support.ts';
export { Displacements } from './displacements.ts';
export { Presence } from './presence.ts';
export { ProblemLog } from './problem-log.ts';
export type { RegistrationProblem, RegistrationProblemKind, RegistrationProblems } from './registration-problem.ts';
export { endUnprovenRegistrations } from './proven-registrations.ts';
export {
  type DeviceRegistration,
  deviceRegistrationOfRow,
  observationOfRow,
  rowOfObservation,
} from './registration-row.ts';
export { Registrations } from './registrations.ts';
export { type LiveDevice, Roster } from './roster.ts';
