export { Lwm2mError, type Lwm2mErrorCode } from './error.ts';
export { Path, type PathLevel } from './path.ts';
export type { Decoded, ObjectLink, Reading, ResourceType, TypedValue } from './value.ts';
export type { ObjectDefinition, ObjectModel, ResourceDefinition } from './model/definition.ts';
export type {
  Lwm2mVersion,
  ObservationRecord,
  RegisteredObject,
  Registration,
  RegistrationEnd,
} from './registration.ts';
export type { NotificationAttributes, Operation, OperationResult, PathValue } from './operation.ts';
export type { Link } from './link-format.ts';
export type { Admission, Lwm2mHost, ReadingBatch, ReadingOrigin, RegisterRequest, RestoredState } from './host.ts';
export type { Lwm2mServer, PerformOptions } from './server.ts';
