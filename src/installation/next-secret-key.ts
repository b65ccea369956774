import { randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { InstallationError, readPrivate, writePrivate } from './kept-file.ts';
import { KEY_BYTES, parseSecretKey, secretKeyFile } from './secret-key.ts';

/** Reads a key of 32 bytes in base64 from a file that the administrator provides. Throws InstallationError. */
export async function givenSecretKey(file: string): Promise<Uint8Array> {
  const kept = await readPrivate(file);
  if (kept === null) throw new InstallationError(`${file} does not exist`);
  return parseSecretKey(kept, file);
}

/**
 * Returns the key that will replace `secret.key`. It is stored in `secret.key.next` until `installNextSecretKey`, so
 * that secrets sealed by an interrupted key change can always be opened. `given`: the key to use; null makes a new one.
 */
export async function nextSecretKey(dataDir: string, given: Uint8Array | null): Promise<Uint8Array> {
  const file = nextFile(dataDir);
  const kept = await readPrivate(file);
  if (kept !== null) {
    const key = parseSecretKey(kept, file);
    if (given !== null && !key.equals(given)) {
      throw new InstallationError(
        `${file} contains another key: an earlier change to that key was interrupted; finish that change first`,
      );
    }
    return key;
  }
  const key = given ?? randomBytes(KEY_BYTES);
  await writePrivate(file, `${Buffer.from(key).toString('base64')}\n`);
  return key;
}

/** True if a key change was interrupted. */
export async function hasNextSecretKey(dataDir: string): Promise<boolean> {
  return (await readPrivate(nextFile(dataDir))) !== null;
}

/** Replaces the secret key with the next one. */
export async function installNextSecretKey(dataDir: string): Promise<void> {
  await rename(nextFile(dataDir), secretKeyFile(dataDir));
}

function nextFile(dataDir: string): string {
  return `${secretKeyFile(dataDir)}.next`;
}
