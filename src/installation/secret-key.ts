import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { InstallationError, readPrivate, writePrivate } from './kept-file.ts';

export const KEY_BYTES = 32;

/**
 * The key that secrets are sealed with: the one of the settings, else the one that the first start made in `secret.key`
 * (mode 0600). Whoever loses it loses every device key, so it is never made anew where one is.
 */
export async function secretKey(configured: Uint8Array | null, dataDir: string): Promise<Uint8Array> {
  if (configured !== null) return configured;
  const file = secretKeyFile(dataDir);
  const kept = await readPrivate(file);
  if (kept !== null) return parseSecretKey(kept, file);
  const key = randomBytes(KEY_BYTES);
  await writePrivate(file, `${key.toString('base64')}\n`);
  return key;
}

/** Throws InstallationError, which names the file and never what it holds. */
export function parseSecretKey(text: Buffer, file: string): Buffer {
  const key = Buffer.from(text.toString('ascii').trim(), 'base64');
  if (key.length !== KEY_BYTES)
    throw new InstallationError(`${file} does not contain a key of ${KEY_BYTES} bytes in base64`);
  return key;
}

export function secretKeyFile(dataDir: string): string {
  return join(dataDir, 'secret.key');
}
