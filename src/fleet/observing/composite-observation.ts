import type { Clock } from '../../clock.ts';
import {
  observationKey,
  type Operation,
  type OperationResult,
  type Path,
  type PerformOptions,
} from '../../lwm2m/index.ts';
import { tryComposite, type LiveDevice } from '../presence/index.ts';

export type ObserveOperation = Extract<Operation, { kind: 'observe' }>;
export type CancelOperation = Extract<Operation, { kind: 'cancel-observation' }>;

/** Sends one operation to a device. Rejects like `Lwm2mServer.perform`. */
export type Send = (operation: Operation, options: PerformOptions) => Promise<OperationResult>;

/** The keys of the observations that an Observe of these paths can start: the composite one, and one for each path. */
export function keysOf(paths: readonly Path[]): string[] {
  return [...new Set([observationKey(paths), ...paths.map((path) => observationKey([path]))])];
}

/**
 * Starts the observation of one or several paths. A device that does not support Observe-Composite (Core 1.2 §6.4.1) is
 * asked for one observation of each path; the roster remembers that for the registration. The result is that of the
 * composite request, or the values of all single ones; or the first refusal, which names its path. Rejects like
 * `Lwm2mServer.perform`.
 */
export async function startObservation(
  device: LiveDevice,
  operation: ObserveOperation,
  { send, options, clock }: { send: Send; options: PerformOptions; clock: Clock },
): Promise<OperationResult> {
  const { paths } = operation;
  if (paths.length === 1) return send(operation, options);
  if (device.composite !== 'REFUSED') {
    const result = await tryComposite(device, (limits) => send(operation, limits), options, clock);
    if (result) return result;
  }
  const started: OperationResult[] = [];
  for (const path of paths) {
    const result = await send({ ...operation, paths: [path] }, options);
    const { code, message } = result;
    if (!result.ok) return { ...result, message: `${path}: ${message ?? `the device answered ${code}`}` };
    // Only a single request that succeeds proves that the device refused the kind of request, not its paths.
    device.composite = 'REFUSED';
    started.push(result);
  }
  return together(started);
}

/** Ends observations one after the other: a composite one, or those of single paths. Rejects like `Lwm2mServer.perform`. */
export async function endObservations(
  operation: CancelOperation,
  running: readonly (readonly Path[])[],
  send: (operation: Operation) => Promise<OperationResult>,
): Promise<OperationResult> {
  const ended: OperationResult[] = [];
  for (const paths of running) ended.push(await send({ ...operation, paths }));
  return together(ended);
}

/** The result of a command for which no request was needed. */
const NOTHING_SENT: OperationResult = {
  ok: true,
  code: '0.00',
  message: null,
  contentFormat: null,
  decoded: null,
  links: null,
  createdInstanceId: null,
  maxAge: null,
};

/** Makes one result of those of several requests that all succeeded. */
function together(results: readonly OperationResult[]): OperationResult {
  const decoded = results.flatMap((result) => result.decoded ?? []);
  return {
    ...(results[0] ?? NOTHING_SENT),
    decoded:
      decoded.length === 0
        ? null
        : {
            readings: decoded.flatMap(({ readings }) => readings),
            empty: decoded.flatMap(({ empty }) => empty),
            outside: decoded.flatMap(({ outside = [] }) => outside),
          },
  };
}
