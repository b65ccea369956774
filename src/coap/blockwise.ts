import { blockAt, blockOption, LARGEST_OPTION, readBlock, type Block } from './block.ts';
import { Body } from './body.ts';
import { codes, formatCode, isSuccess } from './code.ts';
import type { IncomingResponse } from './endpoint.ts';
import { CoapError } from './error.ts';
import { tooLarge, type ClientRequest, type Reply, type RequestLayer } from './client-request.ts';
import { fittingBlock } from './message-limits.ts';
import { optionNumbers, uintOption } from './option.ts';

/** How often reading starts again because the representation changed. */
const MOST_RESTARTS = 2;

/**
 * Sends a request, in blocks when its body is too large for one. Resolves with the response or its first block. Rejects
 * with CoapError TOO_LARGE when the peer does not accept a message of the size, and no blocks (RFC 8323 §5.3).
 */
export async function sendWhole(request: ClientRequest): Promise<Reply> {
  const { body, blockSize, limits, state } = request;
  if (!request.sendsWhole([])) {
    if (!limits.blockwise || body.length === 0) throw tooLarge(state.peer, limits, `a body of ${body.length} bytes`);
    return sendBlocks(request, body, blockSize);
  }
  const reply = await request.send([], body, true);
  const wanted = sizeHint(reply);
  // RFC 7959 §2.9.3: the Block1 option of a 4.13 may give a block size that the peer accepts.
  if (wanted !== null && wanted < body.length) return sendBlocks(request, body, wanted);
  return reply;
}

/** RFC 7959 §2.5: sends one block after the other. The peer answers 2.31 to each except the last. */
async function sendBlocks(request: ClientRequest, body: Uint8Array, largest: number): Promise<Reply> {
  const room = request.roomFor([LARGEST_OPTION, uintOption(optionNumbers.size1, body.length)]);
  const fitting = fittingBlock(largest, room);
  if (fitting === null) throw tooLarge(request.state.peer, request.limits, 'a block of 16 bytes with the options');
  let size = fitting;
  let offset = 0;
  for (;;) {
    const block = blockAt(offset / size, size, body.length);
    if (!block) throw new CoapError('LIMIT', `a body of ${body.length} bytes needs too many blocks of ${size} bytes`);
    const options = [blockOption(optionNumbers.block1, block)];
    if (offset === 0) options.push(uintOption(optionNumbers.size1, body.length));
    const reply = await request.send(options, body.subarray(offset, offset + size), !block.more);
    const echoed = replyBlock(reply.options.block1);

    const wanted = sizeHint(reply);
    if (wanted !== null && offset === 0 && wanted < size) {
      size = wanted;
      continue;
    }
    if (!block.more) {
      if (reply.code === codes.continue) throw new CoapError('PROTOCOL', 'the peer answered the last block with 2.31');
      return reply;
    }
    if (!isSuccess(reply.code)) return reply;
    // RFC 7959 §2.3: 2.31, or a final code for this block alone. In a success without Block1, or with its M bit set,
    // the peer took the block for the whole body.
    if (reply.code !== codes.continue && (echoed === null || echoed.more)) {
      throw new CoapError(
        'PROTOCOL',
        `the peer answered ${formatCode(reply.code)} to block ${block.number} before it had the other blocks`,
      );
    }
    if (echoed && echoed.number !== block.number) {
      throw new CoapError('PROTOCOL', `the peer acknowledged block ${block.number} as block ${echoed.number}`);
    }
    offset += size;
    // RFC 7959 §2.3: the peer may ask for smaller blocks; the offset does not change.
    if (echoed && echoed.size < size) size = echoed.size;
  }
}

/** Requests the further blocks of a response whose first block was received (RFC 7959 §2.4). */
export async function readWhole(layer: RequestLayer, request: ClientRequest, first: Reply): Promise<IncomingResponse> {
  if (isWhole(first)) return wholeResponse(first, first.payload);
  const body = new Body();
  let reserved = 0;
  try {
    let reply = first;
    for (let restarts = 0; ;) {
      const block = replyBlock(reply.options.block2);
      if (!isSuccess(reply.code) || block === null) {
        // The peer answers with an error, or without blocks: this is the response.
        if (body.length > 0 && isSuccess(reply.code))
          throw new CoapError('PROTOCOL', 'a further block of the response has no Block2 option');
        return wholeResponse(reply, reply.payload);
      }
      if (body.length > 0 && !sameEtag(first, reply)) {
        // RFC 7959 §2.4: blocks of different representations must not be combined.
        if (!request.isSafe || restarts++ === MOST_RESTARTS) {
          throw new CoapError('PROTOCOL', 'the representation changed during the block-wise transfer');
        }
        body.clear();
        layer.downloads.release(reserved);
        reserved = 0;
        first = reply = await request.sendForBlock({ number: 0, more: false, size: block.size });
        continue;
      }
      checkOrder(block, body.length, reply.payload.length);

      const capacity = body.capacityFor(reply.payload.length);
      if (body.length + reply.payload.length > layer.limits.bodyBytes) {
        throw new CoapError('PROTOCOL', `the response body is larger than ${layer.limits.bodyBytes} bytes`);
      }
      if (!layer.downloads.reserve(capacity - reserved)) {
        throw new CoapError('LIMIT', 'the memory for incoming response bodies is used up');
      }
      reserved = capacity;
      body.append(reply.payload);
      if (!block.more) return wholeResponse(first, body.bytes());
      const next = { number: body.length / block.size, more: false, size: block.size };
      reply = await request.sendForBlock(next);
    }
  } finally {
    layer.downloads.release(reserved);
  }
}

/** True when the response is not one of several blocks. */
export function isWhole(reply: Reply): boolean {
  const block = replyBlock(reply.options.block2);
  return block === null || (block.number === 0 && !block.more);
}

export function wholeResponse(reply: Reply, payload: Uint8Array): IncomingResponse {
  const { contentFormat, locationPath, maxAge } = reply.options;
  return { code: reply.code, contentFormat, locationPath, maxAge, payload };
}

function checkOrder(block: Block, received: number, length: number): void {
  if (block.number * block.size !== received) {
    throw new CoapError(
      'PROTOCOL',
      `expected the block at offset ${received}, but received block ${block.number} of ${block.size} bytes`,
    );
  }
  if (block.more ? length !== block.size : length > block.size) {
    throw new CoapError('PROTOCOL', `block ${block.number} has ${length} bytes, but its block size is ${block.size}`);
  }
}

function sameEtag(first: Reply, reply: Reply): boolean {
  const [a, b] = [first.options.etag, reply.options.etag];
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}

/** The block size in the Block1 option of a 4.13 (RFC 7959 §2.9.3). */
function sizeHint(reply: Reply): number | null {
  if (reply.code !== codes.requestEntityTooLarge) return null;
  return replyBlock(reply.options.block1)?.size ?? null;
}

/** Throws CoapError PROTOCOL for the reserved size. */
function replyBlock(value: number | null): Block | null {
  if (value === null) return null;
  const block = readBlock(value);
  if (!block) throw new CoapError('PROTOCOL', 'the response has the reserved block size (SZX 7)');
  return block;
}
