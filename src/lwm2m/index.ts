export { Lwm2mError, type Lwm2mErrorCode } from './error.ts';
export { Path, type PathLevel } from './path.ts';
export { checkedValue, formatObjectLink, integerOf, parseObjectLink, RESOURCE_TYPES } from './value.ts';
export type { DecodedPayload, ObjectLink, Reading, ResourceType, TypedValue } from './value.ts';
export {
  ContentFormat,
  contentFormatName,
  currentContentFormat,
  decode,
  decodeComposite,
  decodeLinks,
  decodePaths,
  encode,
  encodeComposite,
  encodeNewInstance,
  encodePaths,
  isTextual,
} from './codec/index.ts';
export type { CompositeValue, DecodeRequest, EncodeRequest, NewInstance, TimedValue } from './codec/index.ts';
export { impliedObjectVersion } from './model/core-versions.ts';
export { objectModel, overlayModel } from './model/object-versions.ts';
export { MAX_OBJECT_XML, parseObjectXml } from './model/object-xml.ts';
export { enumerationEntries, type EnumerationEntry, isComplete } from './model/enumeration.ts';
export { registryDate, registryModel } from './model/registry.ts';
export type { ObjectDefinition, ObjectModel, ResourceDefinition } from './model/definition.ts';
export type {
  Lwm2mVersion,
  ObservationRecord,
  RegisteredObject,
  Registration,
  RegistrationEnd,
} from './registration/registration.ts';
export type { NotificationAttributes, Operation, OperationResult, PathValue } from './operation/operation.ts';
export { formatLinks, parseLinks, type Link } from './link-format.ts';
export {
  isMeaningless,
  registeredObjects,
  type RegisteredObjects,
  type RegisteredObjectsResult,
} from './registration/registered-objects.ts';
export { listsInstances } from './registration/known-instances.ts';
export { isProfileId, parseRegisterQuery, parseUpdateQuery } from './registration/register-query.ts';
export type { QueryResult, RegisterParameters, UpdateParameters } from './registration/register-query.ts';
export { formatExecuteArguments, parseExecuteArguments, type ExecuteArguments } from './operation/execute-arguments.ts';
export {
  attributeProblem,
  formatAttributes,
  linkAttributes,
  parseAttributes,
  type AttributeTarget,
} from './attributes.ts';
export type { Discovery } from './operation/discovery.ts';
export { checkOperation } from './operation/check.ts';
export { checkRequest } from './operation/request.ts';
export { observationKey } from './observation.ts';
export { isSecretObject } from './model/secret-objects.ts';
export type {
  Admission,
  Lwm2mHandlers,
  RefusalCause,
  RefusedRegistration,
  ReadingBatch,
  ReadingOrigin,
  AwakeProbe,
  RegisterRequest,
  RestoredState,
} from './handlers.ts';
export type { Lwm2mServer, Lwm2mSnapshot, PerformOptions, RunningLwm2mServer } from './server.ts';
export type { Lwm2mEndpoint } from './registered-device.ts';
export { createLwm2mServer, type Lwm2mServerOptions } from './server-composition.ts';
export { defaultLwm2mServerSettings, type Lwm2mServerSettings } from './server-settings.ts';
export {
  createBootstrapServer,
  type BootstrapAdmission,
  type BootstrapConfiguration,
  type BootstrapHandlers,
  type BootstrapOutcome,
  type BootstrapRequest,
  type BootstrapServer,
  type BootstrapServerOptions,
  type BootstrapStep,
} from './bootstrap/index.ts';
