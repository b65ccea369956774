import { decode, encode, NO_BYTES, type MessageOption } from '../message.ts';
import { readUint, uintOption } from '../option.ts';
import { encodeFrame, type Frame } from './frame.ts';

/** RFC 8323 §5: the codes of the signalling messages. */
export const signals = { csm: 0xe1, ping: 0xe2, pong: 0xe3, release: 0xe4, abort: 0xe5 } as const;

/** Option numbers of a Capabilities and Settings Message (CSM). Each signalling code has its own option numbers. */
const MAX_MESSAGE_SIZE = 2;
const BLOCK_WISE_TRANSFER = 4;
/** An option number of an Abort. */
const BAD_CSM_OPTION = 2;
/** Block-wise messages and all that the server sends by itself fit in this; a peer that accepts less is refused. */
export const LEAST_MESSAGE_SIZE = 64;
/** RFC 8323 §5.3.1: the largest message that a peer accepts until its CSM announces more. */
export const BASE_MESSAGE_SIZE = 1152;

export function isSignal(code: number): boolean {
  return code >> 5 === 7;
}

/** The CSM of this endpoint: messages of the base size, larger bodies in blocks (RFC 7959), and therefore no BERT. */
export function capabilities(): Buffer {
  const options = [uintOption(MAX_MESSAGE_SIZE, BASE_MESSAGE_SIZE), { number: BLOCK_WISE_TRANSFER, value: NO_BYTES }];
  return signal(signals.csm, options);
}

/** What a peer's CSMs have announced so far; before the first one the base values hold (RFC 8323 §5.3). */
export interface Capabilities {
  /** The largest message in bytes, with its header (RFC 8323 §5.3.1). */
  readonly messageSize: number;
  /** RFC 8323 §5.3.2 */
  readonly blockwise: boolean;
}

export const BASE_CAPABILITIES: Capabilities = { messageSize: BASE_MESSAGE_SIZE, blockwise: false };

/**
 * Applies a CSM: an option that it does not contain keeps its value (RFC 8323 §5.3). Elective options with an undefined
 * length are ignored (RFC 7252 §5.4.3).
 */
export function announced(before: Capabilities, frame: Frame): Capabilities {
  let { messageSize, blockwise } = before;
  for (const { number, value } of optionsOf(frame) ?? []) {
    if (number === MAX_MESSAGE_SIZE && value.length <= 4) messageSize = readUint(value);
    if (number === BLOCK_WISE_TRANSFER && value.length === 0) blockwise = true;
  }
  return { messageSize, blockwise };
}

export function pong(token: Uint8Array): Buffer {
  return encodeFrame({ code: signals.pong, token, rest: NO_BYTES });
}

export function release(): Buffer {
  return signal(signals.release, []);
}

/** The Abort for a Max-Message-Size below the least one: it has no text, because the peer could not read it. */
export function messageSizeTooSmall(): Buffer {
  return abort('', MAX_MESSAGE_SIZE);
}

/** `badOption` is the unrecognized CSM option, `reason` the diagnostic payload. */
export function abort(reason: string, badOption: number | null = null): Buffer {
  const options = badOption === null ? [] : [uintOption(BAD_CSM_OPTION, badOption)];
  return signal(signals.abort, options, Buffer.from(reason));
}

/**
 * The number of the first unrecognized critical option of a signalling message; it ends the connection (RFC 8323 §5.2).
 * Null when there is none, 'malformed' when the options can't be read.
 */
export function unknownCritical(frame: Frame): number | 'malformed' | null {
  const options = optionsOf(frame);
  if (options === null) return 'malformed';
  // All options that RFC 8323 defines have even numbers, so they are elective.
  return options.find(({ number }) => number % 2 === 1)?.number ?? null;
}

/** Null when they can't be read. */
function optionsOf({ code, token, rest }: Frame): readonly MessageOption[] | null {
  const decoded = decode(Buffer.concat([Buffer.of(0x40 | token.length, code, 0, 0), token, rest]));
  return decoded.ok ? decoded.message.options : null;
}

function signal(code: number, options: readonly MessageOption[], payload: Uint8Array = NO_BYTES): Buffer {
  const datagram = encode({ type: 'CON', code, messageId: 0, token: NO_BYTES, options, payload });
  return encodeFrame({ code, token: NO_BYTES, rest: datagram.subarray(4) });
}
