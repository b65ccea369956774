import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readPrivate, writePrivate } from './kept-file.ts';

/**
 * The DTLS sessions of a planned stop, sealed, for the next start. They are taken once: two servers going on from the
 * same state would use the same nonces.
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
