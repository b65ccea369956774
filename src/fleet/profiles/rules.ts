import type { ObjectModel } from '../../lwm2m/index.ts';
import { LIMITS, textProblem } from '../common/index.ts';
import { STANDARD_METHODS } from '../operations/index.ts';
import { checkMappings } from './mapping-rules.ts';
import { checkMethods } from './method-rules.ts';
import type { ProfileInput } from './profile.ts';
import { wrong } from './wrong.ts';

/** The profile that devices get if no other is chosen for them. */
export const DEFAULT_PROFILE: ProfileInput = {
  name: 'Default',
  mappings: [
    { path: '/3303/0/5700', metric: 'temperature' },
    { path: '/3304/0/5700', metric: 'humidity' },
    { path: '/3323/0/5700', metric: 'pressure' },
    { path: '/3/0/9', metric: 'battery_level' },
  ],
  methods: STANDARD_METHODS,
  offlineAfter: null,
  expectedInterval: null,
  awakeTime: null,
};

/**
 * Throws FleetError VALIDATION; its field is the path into the input. `model` has the definitions of the tenant.
 */
export function checkProfile(input: ProfileInput, model: ObjectModel): void {
  const name = input.name.trim();
  const problem = textProblem(name, { most: LIMITS.name });
  if (problem !== null) throw wrong(['name'], problem);
  const { mappings = [], methods = [] } = input;
  if (mappings.length > LIMITS.mappings)
    throw wrong(['mappings'], `a profile can have at most ${LIMITS.mappings} mappings, not ${mappings.length}`);
  if (methods.length > LIMITS.methods)
    throw wrong(['methods'], `a profile can have at most ${LIMITS.methods} methods, not ${methods.length}`);
  checkMappings(mappings, model);
  checkMethods(methods, model);
  for (const field of ['offlineAfter', 'expectedInterval'] as const) {
    const seconds = input[field];
    if (seconds == null || (Number.isInteger(seconds) && seconds >= 1 && seconds <= LIMITS.offlineAfter)) continue;
    throw wrong([field], `${field} must be a whole number of seconds of 1..${LIMITS.offlineAfter}, not ${seconds}`);
  }
  checkAwakeTime(input.awakeTime);
}

/** Checks the awake time of a profile or of a device. */
export function checkAwakeTime(seconds: number | null | undefined): void {
  if (seconds == null || (Number.isInteger(seconds) && seconds >= 1 && seconds <= LIMITS.awakeTime)) return;
  throw wrong(['awakeTime'], `awakeTime must be a whole number of seconds of 1..${LIMITS.awakeTime}, not ${seconds}`);
}
