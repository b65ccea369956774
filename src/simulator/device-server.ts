import { Server } from 'coap';
import type { IncomingMessage, ObserveWriteStream } from 'coap';
import { numberOf } from './coap-packet.ts';

/**
 * Enough for a firmware package. Without a limit, node-coap would allocate as much as a block number implies, up to 1
 * GiB.
 */
const MAX_BODY = 8 * 1024 * 1024;
/** The largest block size (RFC 7959 §2.2): SZX 6. */
const BLOCK_SIZE = 1024;

/**
 * node-coap's server identifies the blocks of a request by the token, but a client may use a new token for each block
 * (RFC 7959 §2.3), so this class identifies them by method, URL and peer.
 */
export class DeviceServer extends Server {
  override _handle(packet: Parameters<Server['_handle']>[0], from: Parameters<Server['_handle']>[1]): void {
    // A ping (RFC 7252 §4.3) is not a request; the agent answers it.
    if (packet.code === '0.00' && !packet.ack && !packet.reset) return;
    const block1 = packet.options?.find((option) => option.name === 'Block1')?.value;
    if (Buffer.isBuffer(block1) && endOfBlock(block1) > MAX_BODY) return;
    super._handle(packet, from);
  }

  override _toCacheKey(request: IncomingMessage): string {
    return `${request.code} ${request.url} ${request.rsinfo.address}:${request.rsinfo.port}`;
  }

  /**
   * node-coap cuts up answers, but not notifications; what it keeps for the answers' other blocks does for these too.
   */
  firstBlock(message: IncomingMessage, stream: ObserveWriteStream, payload: Buffer): Buffer {
    const options = stream._packet.options ?? [];
    stream._packet.options = options.filter(({ name }) => name !== 'Block2' && name !== 'ETag');
    if (payload.length <= BLOCK_SIZE) return payload;
    const kept = stream._packet.options.filter(({ name }) => name === 'Content-Format').map((it) => ({ ...it }));
    this._block2Cache.add(this._toCacheKey(message), { buffer: payload, options: kept });
    stream.setOption('Block2', Buffer.of(0x0e));
    stream.setOption('ETag', tagOf(payload));
    return payload.subarray(0, BLOCK_SIZE);
  }
}

/** The ETag that node-coap computes for the other blocks: the exclusive or of all byte pairs. */
function tagOf(payload: Buffer): Buffer {
  const tag = Buffer.of(0, 0);
  for (const [at, byte] of payload.entries()) tag[at % 2] = (tag[at % 2] ?? 0) ^ byte;
  return tag;
}

/** Returns the offset in the body where the block ends, from NUM and SZX of its option (RFC 7959 §2.2). */
function endOfBlock(option: Buffer): number {
  const value = numberOf(option);
  return (Math.floor(value / 16) + 1) * 2 ** ((value % 8) + 4);
}
