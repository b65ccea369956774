import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

import { PGlite } from '@electric-sql/pglite';
import { dataDir as preparedDirectory } from '@electric-sql/pglite-prepopulatedfs';

import { oneReadyForQueryEach } from './ready-for-query.ts';

/** The start-up message has no type: it begins with the first byte of its length. */
const START_UP = 0;

/** From the thread that asked: bytes of the wire protocol, the end of a session, the end of the database. */
export type ToDatabase =
  | { readonly kind: 'wire'; readonly session: number; readonly bytes: Uint8Array }
  | { readonly kind: 'session-ended' }
  | { readonly kind: 'close' };

export type FromDatabase =
  | { readonly kind: 'ready' }
  | { readonly kind: 'wire'; readonly session: number; readonly bytes: Uint8Array };

/** The embedded database's thread: PGlite holds the thread that calls it for as long as a statement runs. */
const port = parentPort;
if (!port) throw new Error('embedded-worker must run as a worker thread of embedded.ts');
const answer = (message: FromDatabase, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

const database = await open(String(workerData));
let turn = Promise.resolve();
port.on('message', (message: ToDatabase) => {
  turn = turn.then(() => serve(message));
});
answer({ kind: 'ready' });

async function serve(message: ToDatabase): Promise<void> {
  switch (message.kind) {
    case 'wire': {
      // NodeFS writes through to the files: there is nothing to sync.
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
 * A first start unpacks a prepared cluster instead of running initdb (2.8 s instead of 7). The mark tells a start that
 * was interrupted while unpacking: it holds nothing yet, and is unpacked anew.
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
