import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { InstallationError, readPrivate, writePrivate } from './kept-file.ts';

export const KEY_BYTES = 32;

/** Returns the key that seals secrets: the configured one, or the one in `secret.key` (mode 0600); null if it is missing. */
export async function presentSecretKey(configured: Uint8Array | null, dataDir: string): Promise<Uint8Array | null> {
  if (configured !== null) return configured;
  const file = secretKeyFile(dataDir);
  const kept = await readPrivate(file);
  return kept === null ? null : parseSecretKey(kept, file);
}

/**
 * Generates the key of a new installation and stores it in `secret.key`. Call it only for a database without secrets:
 * without the right key every device key is lost. Never replaces an existing file.
 */
export async function createSecretKey(dataDir: string): Promise<Uint8Array> {
  const file = secretKeyFile(dataDir);
  if ((await readPrivate(file)) !== null) throw new InstallationError(`${file} exists`);
  const key = randomBytes(KEY_BYTES);
  await writePrivate(file, `${key.toString('base64')}\n`);
  return key;
}

/** Throws InstallationError. The message names the file and never contains its content. */
export function parseSecretKey(text: Buffer, file: string): Buffer {
  const key = Buffer.from(text.toString('ascii').trim(), 'base64');
  if (key.length !== KEY_BYTES)
    throw new InstallationError(`${file} does not contain a key of ${KEY_BYTES} bytes in base64`);
  return key;
}

export function secretKeyFile(dataDir: string): string {
  return join(dataDir, 'secret.key');
}
