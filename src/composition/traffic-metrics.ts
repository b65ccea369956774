import { Counter, Histogram, type Registry } from 'prom-client';
import type { EventBus, Subscription } from '../events/index.ts';
import type { FleetEvents } from '../fleet/index.ts';
import {
  COUNTED_PATHS,
  OPERATION_OUTCOMES,
  OPERATION_TYPES,
  OTHER_OPERATION,
  STATUS_CLASSES,
  type TrafficMeter,
} from '../server/index.ts';

const SECONDS = [0.005, 0.025, 0.1, 0.5, 2, 10];
/** A persistent call can wait for its device for days. */
const CALL_SECONDS = [0.1, 0.5, 2, 10, 60, 3_600, 86_400];
/** The statuses of an RPC that has ended. */
const OUTCOMES = ['SUCCESSFUL', 'TIMEOUT', 'UNKNOWN', 'EXPIRED', 'FAILED', 'CANCELLED', 'DELETED'] as const;
/** Why the status of a device changed, of those that concern its registration. */
const REASONS = ['registered', 'updated', 'deregistered', 'expired', 'silent', 'disconnected'] as const;

/** Adds the metrics of HTTP requests and GraphQL operations, all with samples from the start. */
export function trafficMeter(register: Registry): TrafficMeter {
  const registers = [register];
  const requests = new Counter({
    name: 'treeline_http_requests_total',
    help: 'HTTP requests that were answered, by path and class of the status. Paths without an entry count as other.',
    labelNames: ['path', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'treeline_http_request_duration_seconds',
    help: 'Seconds from an HTTP request to the end of its response; for a stream (SSE), to the end of the stream.',
    labelNames: ['path'],
    buckets: SECONDS,
    registers,
  });
  for (const path of COUNTED_PATHS) {
    durations.zero({ path });
    for (const status of STATUS_CLASSES) requests.inc({ path, status }, 0);
  }
  const operations = new Counter({
    name: 'treeline_graphql_operations_total',
    help: 'GraphQL operations that were executed, by name (the first 100 names; all others are other), type and outcome.',
    labelNames: ['operation', 'type', 'outcome'],
    registers,
  });
  const operationDurations = new Histogram({
    name: 'treeline_graphql_operation_duration_seconds',
    help: 'Seconds that the execution of a query or mutation took, by name.',
    labelNames: ['operation'],
    buckets: SECONDS,
    registers,
  });
  operationDurations.zero({ operation: OTHER_OPERATION });
  for (const type of OPERATION_TYPES) {
    for (const outcome of OPERATION_OUTCOMES) operations.inc({ operation: OTHER_OPERATION, type, outcome }, 0);
  }
  const invalid = new Counter({
    name: 'treeline_graphql_invalid_operations_total',
    help: 'GraphQL operations with a syntax error, or that do not match the schema.',
    registers,
  });
  return {
    request(path, status, seconds) {
      requests.inc({ path, status });
      durations.observe({ path }, seconds);
    },
    operation(name, type, outcome, seconds) {
      operations.inc({ operation: name, type, outcome });
      if (seconds !== null) operationDurations.observe({ operation: name }, seconds);
    },
    invalidOperation: () => invalid.inc(),
  };
}

/** Counts the outcomes of RPCs and the changes of registrations of this process, as the bus reports them. */
export function measureFleet(register: Registry, bus: EventBus<FleetEvents>): void {
  const registers = [register];
  const outcomes = new Counter({
    name: 'treeline_rpcs_total',
    help: 'RPCs that have ended, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'treeline_rpc_duration_seconds',
    help: 'Seconds from the call to the end of an RPC, by outcome.',
    labelNames: ['outcome'],
    buckets: CALL_SECONDS,
    registers,
  });
  const registrations = new Counter({
    name: 'treeline_registrations_total',
    help: 'Registers and Updates that changed the status of a device, and ended registrations, by reason.',
    labelNames: ['reason'],
    registers,
  });
  for (const outcome of OUTCOMES) {
    outcomes.inc({ outcome }, 0);
    durations.zero({ outcome });
  }
  for (const reason of REASONS) registrations.inc({ reason }, 0);

  void each(bus.subscribe('rpcChanged', null), ({ rpc }) => {
    const outcome = OUTCOMES.find((ended) => ended === rpc.status);
    if (outcome === undefined) return;
    outcomes.inc({ outcome });
    durations.observe({ outcome }, ((rpc.completedAt ?? rpc.createdAt).getTime() - rpc.createdAt.getTime()) / 1000);
  });
  void each(bus.subscribe('deviceStatusChanged', null), (change) => {
    const reason = REASONS.find((known) => known === change.reason);
    if (reason !== undefined) registrations.inc({ reason });
  });
}

/** Events that the subscription lost under load are not counted here; `treeline_bus_events_total` counts them. */
async function each<T>(subscription: Subscription<T>, take: (event: T) => void): Promise<void> {
  for await (const event of subscription) if (event.kind === 'event') take(event.value);
}
