import { Hmac } from './hmac.ts';
import { uint, vector } from './wire.ts';

const MASTER_SECRET_LENGTH = 48;
const VERIFY_DATA_LENGTH = 12;

/** The keys of one direction. `macKey` is empty for an AEAD, `iv` is empty for CBC. */
export interface DirectionKeys {
  readonly macKey: Buffer;
  readonly key: Buffer;
  readonly iv: Buffer;
}

export interface KeyBlock {
  readonly client: DirectionKeys;
  readonly server: DirectionKeys;
}

export interface KeyLengths {
  readonly macKey: number;
  readonly key: number;
  readonly iv: number;
}

/** The PRF of TLS 1.2 with SHA-256 (RFC 5246 §5). Returns a new buffer. */
export function prf(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const hmac = new Hmac(secret);
  const labelledSeed: Buffer = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  const output = Buffer.alloc(length);
  let a = labelledSeed;
  for (let produced = 0; produced < length; produced += a.length) {
    a = hmac.digest(a);
    hmac.digest(a, labelledSeed).copy(output, produced);
  }
  return output;
}

/** RFC 4279 §2: a vector of zeros as long as the key, then a vector of the key. */
export function pskPremasterSecret(psk: Buffer): Buffer {
  return Buffer.concat([vector(2, Buffer.alloc(psk.length)), uint(2, psk.length), psk]);
}

/** RFC 5246 §8.1. */
export function masterSecret(premaster: Buffer, clientRandom: Buffer, serverRandom: Buffer): Buffer {
  return prf(premaster, 'master secret', Buffer.concat([clientRandom, serverRandom]), MASTER_SECRET_LENGTH);
}

/** RFC 7627 §4. `sessionHash`: the hash of the transcript up to and including the ClientKeyExchange. */
export function extendedMasterSecret(premaster: Buffer, sessionHash: Buffer): Buffer {
  return prf(premaster, 'extended master secret', sessionHash, MASTER_SECRET_LENGTH);
}

/** RFC 5246 §6.3. */
export function keyBlock(master: Buffer, clientRandom: Buffer, serverRandom: Buffer, lengths: KeyLengths): KeyBlock {
  const { macKey, key, iv } = lengths;
  const block = prf(master, 'key expansion', Buffer.concat([serverRandom, clientRandom]), 2 * (macKey + key + iv));
  let offset = 0;
  const take = (size: number): Buffer => block.subarray(offset, (offset += size));
  const [clientMac, serverMac] = [take(macKey), take(macKey)];
  const [clientKey, serverKey] = [take(key), take(key)];
  const [clientIv, serverIv] = [take(iv), take(iv)];
  return {
    client: { macKey: clientMac, key: clientKey, iv: clientIv },
    server: { macKey: serverMac, key: serverKey, iv: serverIv },
  };
}

/** RFC 5246 §7.4.9. `transcriptHash`: the hash of all messages before this Finished. */
export function verifyData(master: Buffer, sender: 'client' | 'server', transcriptHash: Buffer): Buffer {
  return prf(master, `${sender} finished`, transcriptHash, VERIFY_DATA_LENGTH);
}
