import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

import { AES_128_CCM, AES_128_CCM_8, AES_128_GCM, type Aead } from './aead.ts';
import { AES_BLOCK, AesKey } from './aes.ts';
import type { DirectionKeys, KeyLengths } from './key-schedule.ts';
import { additionalData, allocateRecord, encodeRecord, type RecordHeader } from './record.ts';
import type { CipherSuite } from './suites.ts';

/** The keys of one direction as key objects: Node 24 takes ten times as long when a key is passed as bytes. */
export interface CipherKeys {
  readonly macKey: KeyObject;
  readonly key: AesKey;
  readonly iv: Buffer;
}

const NO_KEY = createSecretKey(Buffer.alloc(0));

export function cipherKeys({ macKey, key, iv }: DirectionKeys): CipherKeys {
  return { macKey: macKey.length === 0 ? NO_KEY : createSecretKey(macKey), key: new AesKey(createSecretKey(key)), iv };
}

export function directionKeys({ macKey, key, iv }: CipherKeys): DirectionKeys {
  return { macKey: macKey.export(), key: key.secret.export(), iv };
}

/** How a suite converts the content of a record to its fragment and back. Pure, except for the random IVs of CBC. */
export interface Protection {
  readonly keyLengths: KeyLengths;
  /** Returns the complete record. */
  seal(keys: CipherKeys, header: RecordHeader, content: Buffer): Buffer;
  /** Returns null when the fragment is not authentic for these keys and this header. */
  open(keys: CipherKeys, header: RecordHeader, fragment: Buffer): Buffer | null;
}

/** `encryptThenMac` (RFC 7366) affects CBC only. */
export function protectionOf(suite: CipherSuite, encryptThenMac: boolean): Protection {
  switch (suite.cipher) {
    case 'AES_128_CCM_8':
      return CCM_8;
    case 'AES_128_CCM':
      return CCM;
    case 'AES_128_GCM':
      return GCM;
    case 'AES_128_CBC':
      return encryptThenMac ? CBC_ENCRYPT_THEN_MAC : CBC_MAC_THEN_ENCRYPT;
  }
}

const EXPLICIT_NONCE = 8;

/**
 * RFC 6655 §3, RFC 5288 §3: the nonce is 4 implicit bytes, then 8 explicit bytes with the epoch and sequence number.
 */
function withExplicitNonce(aead: Aead): Protection {
  return {
    keyLengths: { macKey: 0, key: 16, iv: 4 },
    seal(keys, header, content) {
      const sealedLength = content.length + aead.tagLength;
      const record = allocateRecord(header, EXPLICIT_NONCE + sealedLength);
      const sealedAt = record.length - sealedLength;
      const nonce = Buffer.allocUnsafe(12);
      keys.iv.copy(nonce, 0);
      nonce.writeUInt16BE(header.epoch, 4);
      nonce.writeUIntBE(header.sequence, 6, 6);
      nonce.copy(record, sealedAt - EXPLICIT_NONCE, 4);
      aead.seal(keys.key, nonce, additionalData(header, content.length), content, record.subarray(sealedAt));
      return record;
    },
    open(keys, header, fragment) {
      const length = fragment.length - EXPLICIT_NONCE - aead.tagLength;
      if (length < 0) return null;
      const nonce = Buffer.allocUnsafe(12);
      keys.iv.copy(nonce, 0);
      fragment.copy(nonce, 4, 0, EXPLICIT_NONCE);
      return aead.open(keys.key, nonce, additionalData(header, length), fragment.subarray(EXPLICIT_NONCE));
    },
  };
}

const CCM = withExplicitNonce(AES_128_CCM);
const CCM_8 = withExplicitNonce(AES_128_CCM_8);
const GCM = withExplicitNonce(AES_128_GCM);

const MAC = 32;
const CBC_KEY_LENGTHS: KeyLengths = { macKey: MAC, key: 16, iv: 0 };

function mac(keys: CipherKeys, header: RecordHeader, body: Buffer): Buffer {
  return createHmac('sha256', keys.macKey).update(additionalData(header, body.length)).update(body).digest();
}

function encryptBlocks(keys: CipherKeys, plaintext: Buffer): Buffer {
  const iv = randomBytes(AES_BLOCK);
  // RFC 5246 §6.2.3.2: every padding byte is the padding length without the length byte, unlike PKCS #7.
  const padding = AES_BLOCK - (plaintext.length % AES_BLOCK);
  const cipher = createCipheriv('aes-128-cbc', keys.key.secret, iv).setAutoPadding(false);
  return Buffer.concat([iv, cipher.update(plaintext), cipher.update(Buffer.alloc(padding, padding - 1))]);
}

/** Returns null unless `bytes` is an IV and at least one whole block. */
function decryptBlocks(keys: CipherKeys, bytes: Buffer): Buffer | null {
  if (bytes.length < 2 * AES_BLOCK || bytes.length % AES_BLOCK !== 0) return null;
  const decipher = createDecipheriv('aes-128-cbc', keys.key.secret, bytes.subarray(0, AES_BLOCK)).setAutoPadding(false);
  return decipher.update(bytes.subarray(AES_BLOCK));
}

/** Returns the length of the padding with its length byte; 0 when the padding is invalid. Always examines 256 bytes. */
function paddingLength(plaintext: Buffer): number {
  const value = plaintext[plaintext.length - 1] ?? 0;
  let wrong = value >= plaintext.length ? 1 : 0;
  for (let i = 0; i < 256; i++) {
    const byte = plaintext[plaintext.length - 1 - i] ?? value;
    wrong |= i <= value ? byte ^ value : 0;
  }
  return wrong === 0 ? value + 1 : 0;
}

const CBC_ENCRYPT_THEN_MAC: Protection = {
  keyLengths: CBC_KEY_LENGTHS,
  seal(keys, header, content) {
    const encrypted = encryptBlocks(keys, content);
    return encodeRecord(header, Buffer.concat([encrypted, mac(keys, header, encrypted)]));
  },
  open(keys, header, fragment) {
    if (fragment.length < MAC) return null;
    const encrypted = fragment.subarray(0, fragment.length - MAC);
    if (!timingSafeEqual(mac(keys, header, encrypted), fragment.subarray(encrypted.length))) return null;
    const plaintext = decryptBlocks(keys, encrypted);
    if (plaintext === null) return null;
    const padding = paddingLength(plaintext);
    return padding === 0 ? null : plaintext.subarray(0, plaintext.length - padding);
  },
};

/**
 * For peers without RFC 7366, when a setting enables it: JavaScript can't guarantee the constant time that protects
 * against Lucky 13.
 */
const CBC_MAC_THEN_ENCRYPT: Protection = {
  keyLengths: CBC_KEY_LENGTHS,
  seal(keys, header, content) {
    return encodeRecord(header, encryptBlocks(keys, Buffer.concat([content, mac(keys, header, content)])));
  },
  open(keys, header, fragment) {
    const plaintext = decryptBlocks(keys, fragment);
    if (plaintext === null || plaintext.length <= MAC) return null;
    const padding = paddingLength(plaintext);
    // RFC 5246 §6.2.3.2: with invalid padding, the MAC is still computed, as if the padding had no bytes.
    const length = Math.max(0, plaintext.length - padding - MAC);
    const expected = mac(keys, header, plaintext.subarray(0, length));
    const right = timingSafeEqual(expected, plaintext.subarray(length, length + MAC));
    return right && padding > 0 ? plaintext.subarray(0, length) : null;
  },
};
