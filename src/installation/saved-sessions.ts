import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readPrivate, writePrivate } from './kept-file.ts';

/**
 * Returns the sealed DTLS sessions of a planned stop and deletes the file. Two servers that continue from the same
 * state would use the same nonces, so the file is read only once.
 */
export async function takeSavedSessions(dataDir: string): Promise<Uint8Array | null> {
  const saved = await readPrivate(fileOf(dataDir));
  if (saved !== null) await rm(fileOf(dataDir));
  return saved;
}

export function saveSessions(dataDir: string, sealed: Uint8Array): Promise<void> {
  return writePrivate(fileOf(dataDir), sealed);
}

function fileOf(dataDir: string): string {
  return join(dataDir, 'dtls-sessions');
}
