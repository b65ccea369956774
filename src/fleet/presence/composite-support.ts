import type { Clock, Timer } from '../../clock.ts';
import { Lwm2mError, type OperationResult, type PerformOptions } from '../../lwm2m/index.ts';
import type { LiveDevice } from './roster.ts';

/**
 * Answers of a device that does not support composite operations or their formats. With 4.04 a path may be missing
 * instead; single requests then show which one.
 */
const COMPOSITE_UNKNOWN: ReadonlySet<string> = new Set(['4.00', '4.02', '4.04', '4.05', '4.06', '4.15', '5.01']);
/** How long a device may take to respond to its first composite request after it acknowledged it. */
const COMPOSITE_WAIT_MS = 5_000;

/**
 * Sends a composite request. Resolves with null if the device may not support it, so that single requests must be tried:
 * it answered with one of `COMPOSITE_UNKNOWN`, its response is unusable, or it acknowledged the request and did not
 * respond, as Wakaama does for a method that it does not know. A device that has answered a composite request in this
 * registration has the whole time of the call. Rejects like `Lwm2mServer.perform`.
 */
export async function tryComposite(
  device: LiveDevice,
  send: (options: PerformOptions) => Promise<OperationResult>,
  options: PerformOptions,
  clock: Clock,
): Promise<OperationResult | null> {
  const giveUp = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, giveUp.signal]) : giveUp.signal;
  const wait: { timer: Timer | null } = { timer: null };
  const onDelivered = (): void => {
    options.onDelivered?.();
    if (device.composite === 'SUPPORTED') return;
    const { deadline, timeoutMs = COMPOSITE_WAIT_MS } = options;
    const left = deadline === undefined ? timeoutMs : deadline - clock.now();
    wait.timer ??= clock.after(Math.min(left / 2, COMPOSITE_WAIT_MS), () => giveUp.abort());
  };
  try {
    const result = await send({ ...options, signal, onDelivered });
    if (result.ok) device.composite = 'SUPPORTED';
    return result.ok || !COMPOSITE_UNKNOWN.has(result.code) ? result : null;
  } catch (error) {
    const unanswered = giveUp.signal.aborted && options.signal?.aborted !== true;
    if (unanswered || (error instanceof Lwm2mError && error.code === 'BAD_ANSWER')) return null;
    throw error;
  } finally {
    wait.timer?.cancel();
  }
}
