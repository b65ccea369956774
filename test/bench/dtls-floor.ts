/**
 * Measures cryptography alone, per second of CPU: the node:crypto calls that every ECDHE handshake needs, and two ways
 * to protect a record.
 */
import {
  createECDH,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';

import type { Aead } from '../../src/dtls/aead.ts';
import { AesKey } from '../../src/dtls/aes.ts';

const device = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const devicePublicKey = device.publicKey.export({ format: 'jwk' });
const devicePoint = createECDH('prime256v1').generateKeys();
const said = randomBytes(500);
const deviceSignature = sign('sha256', said, device.privateKey);

/** Makes an ephemeral key, its signature and the shared secret, and verifies the device's key and signature. */
export function ecdheFloor(): number {
  return perCpuSecond(500, () => {
    const ephemeral = createECDH('prime256v1');
    ephemeral.generateKeys();
    sign('sha256', said.subarray(0, 133), device.privateKey);
    ephemeral.computeSecret(devicePoint);
    verify('sha256', said, createPublicKey({ key: devicePublicKey, format: 'jwk' }), deviceSignature);
  });
}

const key = new AesKey(createSecretKey(randomBytes(16)));
const nonce = randomBytes(12);
const additional = randomBytes(13);
const content = Buffer.alloc(64, 'reading ');

/** Encrypts and decrypts records with AES-128-CCM-8, with ciphers that the key keeps or with a new one per record. */
export function records({ tagLength, seal, open }: Aead): number {
  const sealed = Buffer.alloc(content.length + tagLength);
  return perCpuSecond(20_000, () => {
    seal(key, nonce, additional, content, sealed);
    if (open(key, nonce, additional, sealed) === null) throw new Error('a record could not be decrypted');
  });
}

/** How many times `work` runs per second of this process's CPU time. */
export function perCpuSecond(count: number, work: (n: number) => void): number {
  const before = process.cpuUsage();
  for (let n = 0; n < count; n++) work(n);
  const { user, system } = process.cpuUsage(before);
  return (count * 1_000_000) / (user + system);
}
