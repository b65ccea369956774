import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plugin } from 'graphql-yoga';
import { getOperationAST, type ExecutionArgs, type ExecutionResult } from 'graphql';
import type { Clock } from '../clock.ts';

/** The paths that are counted by name; all others count as `other`. */
export const COUNTED_PATHS = ['/graphql', '/healthz', '/readyz', '/metrics', 'other'] as const;
export const STATUS_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const;
export const OPERATION_TYPES = ['query', 'mutation', 'subscription'] as const;
/** A subscription is `ok` when it has begun. A result with any error, even beside data, counts as `error`. */
export const OPERATION_OUTCOMES = ['ok', 'error'] as const;
/** Counts operations without a name, and operations with new names after the first 100. */
export const OTHER_OPERATION = 'other';
const MOST_NAMES = 100;
const LONGEST_NAME = 64;

/** Receives what the server did. All times are in seconds. */
export interface TrafficMeter {
  request(path: (typeof COUNTED_PATHS)[number], status: string, seconds: number): void;
  operation(name: string, type: string, outcome: (typeof OPERATION_OUTCOMES)[number], seconds: number | null): void;
  /** An operation with a syntax error, or that the schema does not allow. */
  invalidOperation(): void;
}

/** Measures a request from now until its response has been sent or cut. */
export function measureRequest(
  { url }: IncomingMessage,
  response: ServerResponse,
  meter: TrafficMeter,
  clock: Clock,
): void {
  const begun = clock.now();
  const asked = (url ?? '/').split('?', 1)[0];
  const path = COUNTED_PATHS.find((known) => known === asked) ?? 'other';
  response.once('close', () => {
    meter.request(path, `${Math.floor(response.statusCode / 100)}xx`, (clock.now() - begun) / 1000);
  });
}

/** Measures the operations of HTTP, SSE and WebSocket. */
export function useTraffic(meter: TrafficMeter, clock: Clock): Plugin {
  const names = new Set<string>();

  const nameOf = (name: string | undefined): string => {
    if (name === undefined || name.length > LONGEST_NAME) return OTHER_OPERATION;
    if (names.size < MOST_NAMES) names.add(name);
    return names.has(name) ? name : OTHER_OPERATION;
  };
  const count = ({ document, operationName }: ExecutionArgs, hasErrors: boolean, seconds: number | null): void => {
    const operation = getOperationAST(document, operationName);
    if (operation === null || operation === undefined) return meter.invalidOperation();
    meter.operation(nameOf(operation.name?.value), operation.operation, hasErrors ? 'error' : 'ok', seconds);
  };

  return {
    onParse:
      () =>
      ({ result }) => {
        if (result instanceof Error) meter.invalidOperation();
      },
    onValidate:
      () =>
      ({ result }) => {
        if (result.length > 0) meter.invalidOperation();
      },
    onExecute({ args }) {
      const begun = clock.now();
      return {
        onExecuteDone({ result }) {
          count(args, hasErrors(result), (clock.now() - begun) / 1000);
        },
      };
    },
    onSubscribe({ args }) {
      return {
        onSubscribeResult({ result }) {
          count(args, hasErrors(result), null);
        },
      };
    },
  };
}

function hasErrors(result: ExecutionResult | AsyncIterable<ExecutionResult>): boolean {
  return 'errors' in result && result.errors !== undefined && result.errors.length > 0;
}
