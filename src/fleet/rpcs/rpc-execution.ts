import type { Clock, Timer } from '../../clock.ts';
import {
  Lwm2mError,
  type Lwm2mServer,
  type ObjectModel,
  type Operation,
  type OperationResult,
  type PerformOptions,
  type Reading,
} from '../../lwm2m/index.ts';
import { isSecretPath, valueToJson } from '../objects/index.ts';
import type { Observing } from '../observing/index.ts';
import { type OperationInput, type Plan, planOperation, type PlanSource } from '../operations/index.ts';
import type { TenantId } from '../access/index.ts';
import type { LiveDevice } from '../presence/index.ts';
import type { RpcError } from './rpc.ts';

/** The device's answer to a whole operation; `error` is null when the device did what was asked. */
export interface Outcome {
  readonly result: unknown;
  readonly error: RpcError | null;
}

/**
 * Answers of a device that does not support composite operations or their formats. With 4.04 a path may be missing
 * instead; single requests then show which one.
 */
const COMPOSITE_UNKNOWN: ReadonlySet<string> = new Set(['4.00', '4.02', '4.04', '4.05', '4.06', '4.15', '5.01']);
/** How long a device may take to respond to its first composite request after it acknowledged it. */
const COMPOSITE_WAIT_MS = 5_000;

export interface ExecutionParts {
  readonly lwm2m: () => Lwm2mServer;
  readonly observing: Observing;
  readonly modelOf: (tenantId: TenantId) => ObjectModel;
  readonly clock: Clock;
}

/** Performs an operation of the API on a registered device. `createExecution` says how. */
export type Execution = (device: LiveDevice, input: OperationInput, options: PerformOptions) => Promise<Outcome>;

/**
 * Makes the function that performs operations on devices. It sends an operation as one request where the device
 * supports that, else as several, one after the other. It plans the operation by the device's present registration. It
 * rejects with Lwm2mError when the device does not respond, and with FleetError VALIDATION when the operation can't be
 * sent.
 */
export function createExecution({ lwm2m, observing, modelOf, clock }: ExecutionParts): Execution {
  return (device, input, options) => {
    const { objects, lwm2mVersion } = device.registration;
    const source = { model: modelOf(device.tenantId), objects, lwm2mVersion };
    return execute(device, planOperation(input, source), source, { lwm2m: lwm2m(), observing, clock }, options);
  };
}

async function execute(
  device: LiveDevice,
  plan: Plan,
  source: PlanSource,
  { lwm2m, observing, clock }: { lwm2m: Lwm2mServer; observing: Observing; clock: Clock },
  options: PerformOptions,
): Promise<Outcome> {
  const ask = (operation: Operation): Promise<OperationResult> => {
    const command = (): Promise<OperationResult> => lwm2m.perform(device.key, operation, options);
    if (operation.kind === 'observe') {
      const { paths, attributes = null, contentFormat = null } = operation;
      return observing.commandStart(device.key, { paths, attributes, contentFormat }, command);
    }
    if (operation.kind === 'cancel-observation') return observing.commandEnd(device.key, operation.paths, command);
    return command();
  };
  const { together, singles } = plan;
  const maySplit = together !== null && singles.length > 0;
  if (together && !maySplit) return outcomeOf([{ operation: together, result: await ask(together) }], source);
  let tried = false;
  if (together && device.composite !== 'REFUSED') {
    const result = await tryComposite(device, (limits) => lwm2m.perform(device.key, together, limits), options, clock);
    if (result?.ok) device.composite = 'SUPPORTED';
    if (result && !(!result.ok && COMPOSITE_UNKNOWN.has(result.code))) {
      return outcomeOf([{ operation: together, result }], source);
    }
    tried = true;
  }
  const performed: PerformedOperation[] = [];
  for (const operation of singles) {
    const result = await ask(operation);
    performed.push({ operation, result });
    // Only a single request that succeeds proves that the device refused the kind of request, not its paths.
    if (tried && result.ok) device.composite = 'REFUSED';
    // After a refused read, the other reads go on. After a refused change, the rest is not sent: it may depend on that
    // change.
    if (!result.ok && operation.kind !== 'read') break;
  }
  return outcomeOf(performed, source);
}

/**
 * Sends a composite request. Resolves with null when its response is unusable, or when the device acknowledges the
 * request and does not respond, as Wakaama does for a method that it does not know. A device that has answered a
 * composite request in this registration has the whole time of the call.
 */
async function tryComposite(
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
    return await send({ ...options, signal, onDelivered });
  } catch (error) {
    const unanswered = giveUp.signal.aborted && options.signal?.aborted !== true;
    if (unanswered || (error instanceof Lwm2mError && error.code === 'BAD_ANSWER')) return null;
    throw error;
  } finally {
    wait.timer?.cancel();
  }
}

interface PerformedOperation {
  readonly operation: Operation;
  readonly result: OperationResult;
}

function outcomeOf(performed: readonly PerformedOperation[], source: PlanSource): Outcome {
  const last = performed.at(-1)?.result;
  const refused = performed.filter(({ result }) => !result.ok);
  const first = refused[0];
  const failures = refused.map(({ operation, result }) => ({
    path: targetOf(operation),
    coapCode: result.code,
    message: result.message,
  }));
  const values = performed.flatMap(({ result }) => result.decoded?.readings ?? []);
  const outside = performed.flatMap(({ result }) => result.decoded?.outside ?? []);
  const done = performed.length - refused.length;
  const result = {
    code: first && done === 0 ? first.result.code : (performed.find((answer) => answer.result.ok)?.result.code ?? null),
    contentFormat: last?.contentFormat ?? null,
    values: values.map((reading) => valueOf(reading, source)),
    ...(outside.length > 0 && { outside: outside.map(({ path, reason }) => ({ path: String(path), reason })) }),
    links: last?.links ?? null,
    createdInstanceId: last?.createdInstanceId ?? null,
    ...(performed.length > 1 && failures.length > 0 ? { failures } : {}),
  };
  // Several reads succeed when one of them does. A change succeeds only as a whole.
  const failed = first !== undefined && (done === 0 || first.operation.kind !== 'read');
  if (!failed) return { result, error: null };
  const { code, message } = first.result;
  const where = performed.length > 1 ? ` at ${targetOf(first.operation)}, after ${done} done` : '';
  return {
    result,
    error: { code: 'DEVICE_ERROR', coapCode: code, message: (message ?? `the device answered ${code}`) + where },
  };
}

function valueOf(
  reading: Reading,
  source: PlanSource,
): { path: string; type: string; value: unknown; time: string | null } {
  const { path, type, time } = reading;
  const milliseconds = time === null ? Number.NaN : Math.round(time * 1000);
  const at = new Date(milliseconds);
  return {
    path: String(path),
    type,
    value: isSecretPath(path, source) ? '[redacted]' : valueToJson(reading),
    time: Number.isNaN(at.getTime()) ? null : at.toISOString(),
  };
}

function targetOf(operation: Operation): string {
  switch (operation.kind) {
    case 'read-composite':
    case 'observe':
    case 'cancel-observation':
      return operation.paths.join(' ');
    case 'write-composite':
      return operation.values.map(({ path }) => path).join(' ');
    case 'create':
      return `/${operation.objectId}`;
    default:
      return String(operation.path);
  }
}

/** Makes the error of an RPC from the error that kept the device from answering. */
export function errorOf(error: Lwm2mError): RpcError {
  switch (error.code) {
    case 'NOT_REGISTERED':
      return { code: 'DEVICE_UNREACHABLE', coapCode: null, message: 'the device is not registered' };
    case 'TIMEOUT':
      return { code: 'TIMEOUT', coapCode: null, message: 'the device did not answer in time' };
    default:
      return { code: error.code, coapCode: null, message: error.message };
  }
}
