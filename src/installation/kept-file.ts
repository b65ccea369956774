import { chmod, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What the installation keeps can't be read, made or trusted; the message names the file. */
export class InstallationError extends Error {
  override readonly name = 'InstallationError';
}

/** Only we may read it. */
const PRIVATE = 0o600;
const OTHERS = 0o077;

/** The file's bytes; null when there is none. Throws InstallationError when others may read what is private. */
export async function readPrivate(file: string): Promise<Buffer | null> {
  try {
    const { mode } = await stat(file);
    if ((mode & OTHERS) !== 0 && process.platform !== 'win32') {
      throw new InstallationError(
        `other users can read ${file} (mode ${(mode & 0o777).toString(8)}): run chmod 600 on it`,
      );
    }
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    if (error instanceof InstallationError) throw error;
    throw new InstallationError(`${file} can't be read`, { cause: error });
  }
}

/** Writes the file whole or not at all, readable by us alone. Throws InstallationError. */
export async function writePrivate(file: string, bytes: Uint8Array | string): Promise<void> {
  const unfinished = `${file}.new`;
  try {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(unfinished, 'w', PRIVATE);
    try {
      // An unfinished file of an earlier try keeps the mode that it had.
      await chmod(unfinished, PRIVATE);
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    throw new InstallationError(`${file} can't be written`, { cause: error });
  }
}
