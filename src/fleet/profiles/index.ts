export { type MappingPath, parseMappingPath, pathsOf } from './mapping-path.ts';
export { canHaveName } from './metric-names.ts';
export type { DeviceProfile, MetricMapping, ProfileInput } from './profile.ts';
export { createProfiles, type ProfileBook, type Profiles } from './profiles.ts';
export { type RegistrationProfile, RegistrationProfiles } from './registration-profiles.ts';
export { checkAwakeTime } from './rules.ts';
