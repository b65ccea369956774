import { attributeProblem, type NotificationAttributes } from '../../lwm2m/index.ts';
import { FleetError } from '../common/index.ts';

/**
 * Checks notification attributes (Core 1.2 §7.3). Throws FleetError VALIDATION; the attribute's name is the last in
 * `field`.
 */
export function checkAttributes(attributes: NotificationAttributes, field: readonly string[]): void {
  const problem = attributeProblem(attributes);
  if (problem) throw new FleetError('VALIDATION', problem.message, { field: [...field, problem.name] });
}

/** True if both have the same attributes with the same values, in any order. Null equals no attributes. */
export function sameAttributes(one: NotificationAttributes | null, other: NotificationAttributes | null): boolean {
  return spelled(one) === spelled(other);
}

function spelled(attributes: NotificationAttributes | null): string {
  return JSON.stringify(Object.entries(attributes ?? {}).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
