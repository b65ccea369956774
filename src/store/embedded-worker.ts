import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

import { PGlite } from '@electric-sql/pglite';
import { dataDir as preparedDirectory } from '@electric-sql/pglite-prepopulatedfs';

import { holdsLock } from './directory-lock.ts';
import { TAKEN, type FromDatabase, type ToDatabase, type WorkerInput } from './embedded-messages.ts';
import { oneReadyForQueryEach } from './ready-for-query.ts';

/** The start-up message has no type byte; its first byte is the first byte of its length. */
const START_UP = 0;

/** How long a check of the lock counts. */
const CHECK_MS = 100;

/** Runs PGlite in a worker thread, because PGlite blocks its thread while a statement runs. */
const port = parentPort;
if (!port) throw new Error('embedded-worker must run as a worker thread of embedded.ts');
const answer = (message: FromDatabase, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

const { directory, lock } = workerData as WorkerInput; // from embedded.ts
let checkedAt = -Infinity;
const database = await open(directory);
let queue = Promise.resolve();
port.on('message', (message: ToDatabase) => {
  queue = queue.then(() => serve(message));
});
answer({ kind: 'ready' });

async function serve(message: ToDatabase): Promise<void> {
  requireLock();
  switch (message.kind) {
    case 'wire': {
      // NodeFS writes directly to the files, so there is nothing to sync.
      const raw = await database.execProtocolRaw(message.bytes, { syncToFs: false });
      const bytes = message.bytes[0] === START_UP ? raw : oneReadyForQueryEach(message.bytes, raw);
      return answer(
        { kind: 'wire', session: message.session, bytes },
        bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [],
      );
    }
    case 'session-ended':
      if (database.isInTransaction()) await database.exec('rollback');
      await database.exec('discard all');
      return;
    case 'close':
      await database.close();
      port?.close();
  }
}

/**
 * Ends the thread without another write when another process has taken the directory: after this process stood still (a
 * signal, a paused container), it must not go on.
 */
function requireLock(): void {
  const now = performance.now();
  if (now - checkedAt < CHECK_MS) return;
  if (!holdsLock(lock.file, lock.token)) throw new Error(TAKEN);
  checkedAt = now;
}

/**
 * Opens the cluster. The first start unpacks a prepared cluster instead of running initdb (2.8 s instead of 7 s). The file
 * `unpacking` marks an interrupted first start: its cluster has no data yet and is unpacked again.
 */
async function open(directory: string): Promise<PGlite> {
  const cluster = join(directory, 'postgres');
  const unpacking = join(directory, 'unpacking');
  if (existsSync(unpacking)) rmSync(cluster, { recursive: true, force: true });
  if (existsSync(join(cluster, 'PG_VERSION'))) return PGlite.create(cluster);
  mkdirSync(cluster, { recursive: true });
  writeFileSync(unpacking, '');
  const unpacked = await PGlite.create(cluster, { loadDataDir: await preparedDirectory() });
  rmSync(unpacking);
  return unpacked;
}
