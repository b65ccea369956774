import { randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { InstallationError, readPrivate, writePrivate } from './kept-file.ts';
import { KEY_BYTES, parseSecretKey, secretKeyFile } from './secret-key.ts';

/** The key in a file of the administrator's: 32 bytes in base64. Throws InstallationError. */
export async function givenSecretKey(file: string): Promise<Uint8Array> {
  const kept = await readPrivate(file);
  if (kept === null) throw new InstallationError(`${file} does not exist`);
  return parseSecretKey(kept, file);
}

/**
 * The key that shall take the place of `secret.key`: kept beside it until `installNextSecretKey`, so that what an
 * interrupted change sealed under it can always be opened. `given`: instead of a new one.
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

/** From now on it is the secret key. */
export async function installNextSecretKey(dataDir: string): Promise<void> {
  await rename(nextFile(dataDir), secretKeyFile(dataDir));
}

function nextFile(dataDir: string): string {
  return `${secretKeyFile(dataDir)}.next`;
}
