import { readBlock, type Block } from '../../src/coap/block.ts';
import type { IncomingResponse } from '../../src/coap/index.ts';
import type { Message } from '../../src/coap/message.ts';
import {
  readRequestOptions,
  readResponseOptions,
  type RequestOptions,
  type ResponseOptions,
} from '../../src/coap/option.ts';

export function requestOf(message: Message | undefined): RequestOptions {
  const options = readRequestOptions(message?.options ?? []);
  if ('unrecognized' in options) throw new Error(`option ${options.unrecognized}`);
  return options;
}

export function responseOf(message: Message | undefined): ResponseOptions {
  const options = readResponseOptions(message?.options ?? []);
  if ('unrecognized' in options) throw new Error(`option ${options.unrecognized}`);
  return options;
}

export function blockOf(value: number | null): Block | null {
  return value === null ? null : readBlock(value);
}

export function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

/** A body whose blocks all differ. */
export function body(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255);
}

export interface Outcome {
  code?: number;
  payload?: Uint8Array;
  error?: string;
}

/** The outcome of a request so far, without waiting for it. */
export function outcome(promise: Promise<IncomingResponse>): Outcome {
  const seen: Outcome = {};
  promise.then(
    ({ code, payload }) => Object.assign(seen, { code, payload: Uint8Array.from(payload) }),
    (error: { code: string }) => Object.assign(seen, { error: error.code }),
  );
  return seen;
}

/** Does nothing: the initial value of a listener. */
export function nothing(): void {}
