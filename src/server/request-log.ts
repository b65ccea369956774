import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client } from './client.ts';
import type { Log } from './log.ts';

const present = new AsyncLocalStorage<{ readonly requestId: string; readonly client: string }>();

/** Runs the work of a request: what `withRequest` logs meanwhile has the request’s id and the client’s address. */
export function inRequest<T>({ requestId, address }: Client, work: () => T): T {
  return present.run({ requestId, client: address }, work);
}

/** A log whose lines name the request that they are about. */
export function withRequest(log: Log): Log {
  return {
    info: (fields, message) => log.info({ ...present.getStore(), ...fields }, message),
    warn: (fields, message) => log.warn({ ...present.getStore(), ...fields }, message),
    error: (fields, message) => log.error({ ...present.getStore(), ...fields }, message),
  };
}
