import type { NotificationAttributes } from '../../lwm2m/index.ts';
import { FleetError } from '../common/index.ts';

const LARGEST_SECONDS = 4_294_967_295;

/** Checks notification attributes (Core 1.2 §7.3). Throws FleetError VALIDATION, the attribute's name last in its field. */
export function checkAttributes(attributes: NotificationAttributes, field: readonly string[]): void {
  const refuse = (name: string, why: string): never => {
    throw new FleetError('VALIDATION', `${name} ${why}`, { field: [...field, name] });
  };
  for (const name of ['pmin', 'pmax', 'epmin', 'epmax', 'hqmax'] as const) {
    const value = attributes[name];
    if (value != null && (!Number.isInteger(value) || value < 0 || value > LARGEST_SECONDS)) {
      refuse(name, `${value} is no whole number of 0..${LARGEST_SECONDS}`);
    }
  }
  for (const name of ['gt', 'lt', 'st'] as const) {
    const value = attributes[name];
    if (value != null && !Number.isFinite(value)) refuse(name, `${value} is no number`);
  }
  const { gt, lt, st, epmin, epmax } = attributes;
  if (st != null && st < 0) refuse('st', `${st} is negative`);
  // Core 1.2 §7.3.2: a device answers 4.00 to these, so they are not asked.
  if (lt != null && gt != null && lt >= gt) refuse('lt', `${lt} must be below gt ${gt}`);
  if (lt != null && gt != null && st != null && lt + 2 * st >= gt) refuse('st', `lt + 2·st must be below gt ${gt}`);
  if (epmin != null && epmax != null && epmin >= epmax) refuse('epmin', `${epmin} must be below epmax ${epmax}`);
}

/** The same attributes, whatever their order; none is the same as none. */
export function sameAttributes(one: NotificationAttributes | null, other: NotificationAttributes | null): boolean {
  return spelled(one) === spelled(other);
}

function spelled(attributes: NotificationAttributes | null): string {
  return JSON.stringify(Object.entries(attributes ?? {}).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
