import { registerOption } from 'coap';
import type { IncomingMessage, ObserveWriteStream, OutgoingMessage } from 'coap';
import type { CoapRequest } from './coap-message.ts';

// By default, node-coap converts numbers to media type names and drops those without a name.
for (const option of ['Content-Format', 'Accept']) registerOption(option, bytesOf, numberOf);

/** Returns null for a message that is not a request. */
export function requestOf(message: IncomingMessage): CoapRequest | null {
  if (message.method === undefined) return null;
  const options = message._packet.options ?? [];
  const texts = (name: string): string[] =>
    options.filter((option) => option.name === name).map((option) => String(option.value));
  const number = (name: string): number | null => {
    const value = optionOf(message, name);
    return typeof value === 'number' ? value : null;
  };
  return {
    method: message.method,
    path: texts('Uri-Path'),
    query: texts('Uri-Query'),
    accept: number('Accept'),
    contentFormat: number('Content-Format'),
    observe: number('Observe'),
    token: message._packet.token?.toString('hex') ?? '',
    payload: message.payload,
  };
}

export function optionOf(message: IncomingMessage, name: string): unknown {
  return message._packet.options?.find((option) => option.name === name)?.value;
}

export function locationOf(response: IncomingMessage): string[] {
  const options = response._packet.options ?? [];
  return options.filter((option) => option.name === 'Location-Path').map((option) => String(option.value));
}

export function isObserveStream(response: OutgoingMessage | ObserveWriteStream): response is ObserveWriteStream {
  return '_counter' in response;
}

/** Encodes a uint in the fewest bytes (RFC 7252 §3.2). */
export function bytesOf(value: unknown): Buffer {
  const bytes: number[] = [];
  for (let rest = Number(value); rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from(bytes);
}

export function numberOf(bytes: Buffer): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
