import type { OperationInput } from '../operations/index.ts';

/**
 * How often an operation may reach the device:
 * - AT_LEAST_ONCE: a PERSISTENT call sends it again when the response is lost.
 * - AT_MOST_ONCE: it is sent once. CoAP repeats only the same message, which the device recognises (RFC 7252 §4.2).
 */
export type Delivery = 'AT_LEAST_ONCE' | 'AT_MOST_ONCE';

/** Reboot and Factory Reset of the Device object. */
const RESTART = /^\/3\/\d+\/[45]$/;
/** Writing the Package URI of Firmware Update or of Advanced Firmware Update starts a download. */
const STARTS_ACTION = /^\/(?:5|33629)\/\d+\/1$/;

/**
 * The default of an operation: AT_MOST_ONCE for one that is not safe to repeat, which is an Execute, a Create, and a
 * Write to a resource that starts an action.
 */
export function defaultDelivery(operation: OperationInput): Delivery {
  switch (operation.kind) {
    case 'execute':
    case 'create':
      return 'AT_MOST_ONCE';
    case 'write':
      return operation.values.some(writesAction) ? 'AT_MOST_ONCE' : 'AT_LEAST_ONCE';
    default:
      return 'AT_LEAST_ONCE';
  }
}

/** True for the Execute that makes the device register again when it is done. */
export function isRestart(operation: OperationInput): boolean {
  return operation.kind === 'execute' && RESTART.test(operation.path);
}

/** The value of an instance is an object with the ids of its resources. */
function writesAction({ path, value }: { readonly path: string; readonly value: unknown }): boolean {
  const below = typeof value === 'object' && value !== null ? Object.keys(value).map((id) => `${path}/${id}`) : [];
  return [path, ...below].some((place) => STARTS_ACTION.test(place));
}
