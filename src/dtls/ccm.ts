import { AES_BLOCK, type AesKey } from './aes.ts';

export const CCM_TAG = 8;

/** Flags of the first block (RFC 3610 §2.2): additional data is present, and the tag has 8 bytes. */
const FLAGS = 0x40 | (((CCM_TAG - 2) / 2) << 3);

/**
 * AES-128-CCM with a tag of 8 bytes (RFC 3610 with M = 8, as in RFC 6655). Fills `into` with the encrypted content and
 * the tag. The nonce has 7 to 13 bytes, the content up to 65,535, the additional data 1 to 65,279.
 */
export function ccmSeal(key: AesKey, nonce: Buffer, additional: Buffer, content: Buffer, into: Buffer): void {
  const { length } = content;
  const stream = keyStream(key, nonce, length);
  const mac = authenticate(key, nonce, additional, content);
  xorContent(into, content, stream, length);
  for (let i = 0; i < CCM_TAG; i++) into[length + i] = (mac[i] ?? 0) ^ (stream[i] ?? 0);
}

/** Returns the content; null when the tag does not verify with this nonce and this additional data. */
export function ccmOpen(key: AesKey, nonce: Buffer, additional: Buffer, sealed: Buffer): Buffer | null {
  const length = sealed.length - CCM_TAG;
  if (length < 0) return null;
  const stream = keyStream(key, nonce, length);
  const content = Buffer.allocUnsafeSlow(length);
  xorContent(content, sealed, stream, length);
  const mac = authenticate(key, nonce, additional, content);
  let difference = 0;
  for (let i = 0; i < CCM_TAG; i++) difference |= (mac[i] ?? 0) ^ (stream[i] ?? 0) ^ (sealed[length + i] ?? 0);
  return difference === 0 ? content : null;
}

function xorContent(into: Buffer, from: Buffer, stream: Buffer, length: number): void {
  for (let i = 0; i < length; i++) into[i] = (from[i] ?? 0) ^ (stream[AES_BLOCK + i] ?? 0);
}

/** The key stream of RFC 3610 §2.3: the first block encrypts the tag, the following blocks encrypt the content. */
function keyStream(key: AesKey, nonce: Buffer, length: number): Buffer {
  const counters = Buffer.allocUnsafe(AES_BLOCK + wholeBlocks(length));
  writeFirst(counters, 0, nonce);
  counters.writeUInt16BE(0, AES_BLOCK - 2);
  for (let block = 1; block * AES_BLOCK < counters.length; block++) {
    const start = block * AES_BLOCK;
    counters.copyWithin(start, 0, AES_BLOCK - 2);
    counters.writeUInt16BE(block, start + AES_BLOCK - 2);
  }
  return key.encrypt(counters);
}

/** The CBC-MAC of RFC 3610 §2.2; the tag is its first 8 bytes. */
function authenticate(key: AesKey, nonce: Buffer, additional: Buffer, content: Buffer): Buffer {
  const contentAt = AES_BLOCK + wholeBlocks(2 + additional.length);
  const blocks = Buffer.allocUnsafe(contentAt + wholeBlocks(content.length));
  writeFirst(blocks, FLAGS, nonce);
  blocks.writeUInt16BE(content.length, AES_BLOCK - 2);
  blocks.writeUInt16BE(additional.length, AES_BLOCK);
  writePadded(blocks, AES_BLOCK + 2, contentAt, additional);
  writePadded(blocks, contentAt, blocks.length, content);
  return key.chain(blocks);
}

/**
 * Writes the start of a counter block or of the MAC's first block: the flags with the size of the length field, then
 * the nonce.
 */
function writeFirst(blocks: Buffer, flags: number, nonce: Buffer): void {
  blocks[0] = flags | (AES_BLOCK - 2 - nonce.length);
  writePadded(blocks, 1, AES_BLOCK, nonce);
}

/** Writes `bytes` at `start` and fills the rest up to `end` with zeros. */
function writePadded(into: Buffer, start: number, end: number, bytes: Buffer): void {
  bytes.copy(into, start);
  for (let i = start + bytes.length; i < end; i++) into[i] = 0;
}

function wholeBlocks(length: number): number {
  return Math.ceil(length / AES_BLOCK) * AES_BLOCK;
}
