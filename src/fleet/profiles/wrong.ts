import { FleetError } from '../common/index.ts';

/** The error of an invalid profile; `field` is the path in the input. */
export function wrong(field: readonly string[], message: string): FleetError {
  return new FleetError('VALIDATION', message, { field });
}
