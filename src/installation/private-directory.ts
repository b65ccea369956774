import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InstallationError } from './kept-file.ts';

const DIRECTORY = 0o700;
const OTHERS = 0o077;
/** Files with these names are read only when their mode is right: a wider one may mean that somebody has the secret. */
const SECRETS: ReadonlySet<string> = new Set([
  'secret.key',
  'secret.key.next',
  'dtls-key.pem',
  'dtls-certificate.pem',
  'dtls-sessions',
]);

/**
 * Makes the data directory if it is missing, and takes all rights of other users away: 0700 for it and 0600 for the files
 * in it. Files and directories below it can't be reached through a directory of mode 0700. Files that contain secrets are
 * not corrected: `readPrivate` refuses them. Does nothing on Windows. Throws InstallationError.
 */
export async function makePrivate(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: DIRECTORY });
    if (process.platform === 'win32') return;
    await narrow(directory, DIRECTORY);
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.isFile() && !SECRETS.has(entry.name)) await narrow(join(directory, entry.name), 0o600);
      if (entry.isDirectory()) await narrow(join(directory, entry.name), DIRECTORY);
    }
  } catch (error) {
    throw new InstallationError(`${directory} can't be made private (mode 0700)`, { cause: error });
  }
}

async function narrow(path: string, mode: number): Promise<void> {
  const { mode: present } = await stat(path);
  if ((present & OTHERS) !== 0) await chmod(path, mode);
}
