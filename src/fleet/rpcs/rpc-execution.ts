import type { Clock } from '../../clock.ts';
import type { Lwm2mError } from '../../lwm2m/index.ts';
import {
  type Lwm2mServer,
  type ObjectModel,
  type Operation,
  type Path,
  type OperationResult,
  type PerformOptions,
} from '../../lwm2m/index.ts';
import type { Observing } from '../observing/index.ts';
import { type OperationInput, type Plan, planOperation, type PlanSource } from '../operations/index.ts';
import type { TenantId } from '../access/index.ts';
import { tryComposite, type LiveDevice } from '../presence/index.ts';
import { answeredValues } from './answered-values.ts';
import type { RpcError } from './rpc.ts';

/** The device's answer to a whole operation; `error` is null when the device did what was asked. */
export interface Outcome {
  readonly result: unknown;
  readonly error: RpcError | null;
}

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
  const { together, singles } = plan;
  const written = singles.find((operation) => operation.kind === 'write-attributes')?.attributes ?? null;
  const ask = (operation: Operation): Promise<OperationResult> => {
    if (operation.kind === 'observe') return observing.commandStart(device, operation, written, options);
    if (operation.kind === 'cancel-observation') return observing.commandEnd(device, operation, options);
    return lwm2m.perform(device.key, operation, options);
  };
  const maySplit = together !== null && singles.length > 0;
  if (together && !maySplit) return outcomeOf([{ operation: together, result: await ask(together) }], source);
  let tried = false;
  if (together && device.composite !== 'REFUSED') {
    const result = await tryComposite(device, (limits) => lwm2m.perform(device.key, together, limits), options, clock);
    if (result) return outcomeOf([{ operation: together, result }], source);
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
  const values = performed.flatMap(({ operation, result }) =>
    result.decoded ? answeredValues(result.decoded, pathsOf(operation), source) : [],
  );
  const outside = performed.flatMap(({ result }) => result.decoded?.outside ?? []);
  const done = performed.length - refused.length;
  const result = {
    code: first && done === 0 ? first.result.code : (performed.find((answer) => answer.result.ok)?.result.code ?? null),
    contentFormat: last?.contentFormat ?? null,
    values,
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

/** The paths that the device was asked for. */
function pathsOf(operation: Operation): readonly Path[] {
  if ('paths' in operation) return operation.paths;
  return 'path' in operation ? [operation.path] : [];
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
    case 'DISCONNECTED':
      return { code: 'TIMEOUT', coapCode: null, message: error.message };
    default:
      return { code: error.code, coapCode: null, message: error.message };
  }
}
