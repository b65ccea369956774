/**
 * What node:crypto alone would allow: the calls that no DTLS server on it can do without, and nothing around them. Per
 * second of CPU.
 */
import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';

const device = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const devicePublicKey = device.publicKey.export({ format: 'jwk' });
const devicePoint = createECDH('prime256v1').generateKeys();
const said = randomBytes(500);
const deviceSignature = sign('sha256', said, device.privateKey);

/** An ephemeral key, its signature, the shared secret, and the device's key and signature. */
export function ecdheFloor(): number {
  return perCpuSecond(500, () => {
    const ephemeral = createECDH('prime256v1');
    ephemeral.generateKeys();
    sign('sha256', said.subarray(0, 133), device.privateKey);
    ephemeral.computeSecret(devicePoint);
    verify('sha256', said, createPublicKey({ key: devicePublicKey, format: 'jwk' }), deviceSignature);
  });
}

const key = createSecretKey(randomBytes(16));
const nonce = randomBytes(12);
const additional = randomBytes(13);
const content = Buffer.alloc(64, 'reading ');

/** A record of AES-128-CCM-8 opened and one sealed. */
export function recordFloor(): number {
  return perCpuSecond(20_000, () => {
    const cipher = createCipheriv('aes-128-ccm', key, nonce, { authTagLength: 8 });
    cipher.setAAD(additional, { plaintextLength: content.length });
    const encrypted = cipher.update(content);
    cipher.final();
    const decipher = createDecipheriv('aes-128-ccm', key, nonce, { authTagLength: 8 });
    decipher.setAuthTag(cipher.getAuthTag());
    decipher.setAAD(additional, { plaintextLength: content.length });
    decipher.update(encrypted);
    decipher.final();
  });
}

/** How many of what `work` does a second of this process's CPU is enough for. */
export function perCpuSecond(count: number, work: (n: number) => void): number {
  const before = process.cpuUsage();
  for (let n = 0; n < count; n++) work(n);
  const { user, system } = process.cpuUsage(before);
  return (count * 1_000_000) / (user + system);
}
