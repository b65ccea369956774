import { settings, type Config } from '../config/index.ts';
import { checkValueOf, keepSecretKey, lockSecretKey, Seal, secretKeyState } from '../fleet/index.ts';
import {
  createSecretKey,
  hasNextSecretKey,
  InstallationError,
  presentSecretKey,
  secretKeyFile,
} from '../installation/index.ts';
import type { Store } from '../store/index.ts';

type KeyPlace = Pick<Config, 'secretKey' | 'dataDir'>;

/**
 * Returns the secret key of the installation, which must be that of the database. A new database gets the present key,
 * or a new one in `secret.key`. Throws InstallationError, which names the setting or file, if the key is another one or
 * is missing; it then has changed nothing. Of processes that start at the same time on a new database, one decides.
 */
export function openSecretKey(place: KeyPlace, store: Store): Promise<Uint8Array> {
  return store.asSystem(async (tx) => {
    await lockSecretKey(tx);
    const present = await presentSecretKey(place.secretKey, place.dataDir);
    const state = await secretKeyState(tx, present && new Seal(present));
    if (state === 'other') throw new InstallationError(await wrongKey(place, present === null));
    const key = present ?? (await createSecretKey(place.dataDir));
    if (state === 'unknown') await keepSecretKey(tx, new Seal(key));
    return key;
  });
}

/**
 * Compares the present secret key with the one that a backup needs. Resolves with the file that the key of the backup has
 * to be put into before the next start, or null if the present one is right or the backup does not name one. Throws
 * InstallationError if another key is present.
 */
export async function keyForBackup(place: KeyPlace, checkValue: string | null): Promise<string | null> {
  if (checkValue === null) return null;
  const present = await presentSecretKey(place.secretKey, place.dataDir);
  if (present === null) return secretKeyFile(place.dataDir);
  if (checkValueOf(new Seal(present)) === checkValue) return null;
  const where = place.secretKey === null ? secretKeyFile(place.dataDir) : settings.secretKey.variable;
  throw new InstallationError(
    `${where} is not the secret key of the backup, whose device keys need it; provide that key, then restore`,
  );
}

async function wrongKey({ secretKey, dataDir }: KeyPlace, missing: boolean): Promise<string> {
  const { variable } = settings.secretKey;
  if (secretKey !== null) {
    return `${variable} is not the secret key of this database, which was used with another one; set the key that belongs to the database`;
  }
  const file = secretKeyFile(dataDir);
  if (await hasNextSecretKey(dataDir)) {
    return `${file} is not the secret key of this database, and ${file}.next exists: a key change was interrupted; run "treeline reseal" again`;
  }
  const remedy = `restore the file that belongs to the database, or set ${variable}`;
  return missing
    ? `the secret key ${file} does not exist, and the database belongs to one; ${remedy}`
    : `${file} is not the secret key of this database, which was used with another one; ${remedy}`;
}
