import { chmod, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file of the installation can't be read, written or trusted. The message names the file. */
export class InstallationError extends Error {
  override readonly name = 'InstallationError';
}

/** File mode: only the owner may read and write. */
const PRIVATE = 0o600;
const OTHERS = 0o077;

/** Returns the file's bytes; null when it does not exist. Throws InstallationError when other users may access it. */
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

/** Writes the file atomically, readable only by its owner. Throws InstallationError. */
export async function writePrivate(file: string, bytes: Uint8Array | string): Promise<void> {
  const unfinished = `${file}.new`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(unfinished, 'w', PRIVATE);
    try {
      // A file left by an interrupted attempt keeps its old mode, so set the mode explicitly.
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
