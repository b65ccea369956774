import { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';

import { systemClock } from '../clock.ts';
import { lockDirectory, type DirectoryLock } from './directory-lock.ts';
import { TAKEN, type FromDatabase, type ToDatabase, type WorkerInput } from './embedded-messages.ts';
import { StoreError } from './error.ts';

/** PGlite in a worker thread. `pg` uses it through a stream as if it were a socket. It has one session. */
export interface EmbeddedDatabase {
  /** Opens the stream for `new pg.Client({ stream })`, which ends the previous session. */
  connect(): Duplex;
  /** Writes remaining data to the files and ends the thread. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the database in `directory`, and creates it at the first start. Throws IN_USE when another process uses it and
 * CANNOT_OPEN when its files can't be read. Calls `onLost` when the database ends before `close`, also because another
 * process took the directory while this one stood still. `onNotice`: see `lockDirectory`.
 *
 * Durability: the operating system has a transaction's data before `commit` returns, so killing the process loses
 * nothing. PGlite does not fsync, so a power failure may lose the last seconds. Use Postgres where that matters.
 */
export async function openEmbedded(
  directory: string,
  onLost: (error: StoreError) => void,
  onNotice: (text: string) => void = () => {},
): Promise<EmbeddedDatabase> {
  let taken = false;
  const lock = await lockDirectory(directory, {
    clock: systemClock,
    onNotice,
    onLost() {
      taken = true;
      // Without a close, which would write.
      void worker.terminate();
    },
  });
  const worker = startWorker(directory, lock);
  const send = (message: ToDatabase, transfer: ArrayBuffer[] = []): void => worker.postMessage(message, transfer);
  let stream: Duplex | undefined;
  /** The number of the current session: a reply to an ended session must not reach the next one. */
  let session = 0;
  let state: 'opening' | 'open' | 'closing' | 'lost' = 'opening';

  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  void ended.then(() => lock.release());
  await new Promise<void>((resolve, reject) => {
    let cause: unknown;
    worker.on('error', (error) => (cause = error));
    worker.once('exit', () => {
      const detail = taken ? TAKEN : cause instanceof Error ? cause.message : 'its thread ended';
      if (state === 'opening') {
        reject(new StoreError('CANNOT_OPEN', `can't open the database in ${directory}: ${detail}`, { cause }));
      } else if (state === 'open') {
        state = 'lost';
        const error = new StoreError('LOST', `the embedded database ended: ${detail}`, { cause });
        stream?.destroy(error);
        onLost(error);
      }
    });
    worker.on('message', (message: FromDatabase) => {
      if (message.kind === 'ready') resolve();
      else if (message.kind === 'wire' && message.session === session) stream?.push(message.bytes);
    });
  });
  state = 'open';

  return {
    connect() {
      stream?.destroy();
      const mine = ++session;
      const opened = new SessionStream({
        // pg corks the five messages of a statement, so they are sent to the worker as one.
        writev(chunks, done) {
          if (state !== 'open') return done(new StoreError('LOST', 'the embedded database has ended'));
          // Copy them: pg's buffers are slices of a pool, and a transfer would take away the whole pool.
          const bytes = new Uint8Array(Buffer.concat(chunks.map(({ chunk }) => chunk)));
          send({ kind: 'wire', session: mine, bytes }, [bytes.buffer]);
          done();
        },
        read() {},
        final(done) {
          opened.push(null);
          done();
        },
        destroy(error, done) {
          if (state === 'open') send({ kind: 'session-ended' });
          done(error);
        },
      });
      stream = opened;
      return opened;
    },
    async close() {
      if (state === 'open') {
        state = 'closing';
        send({ kind: 'close' });
      }
      await ended;
    },
  };
}

/** A stream with the socket methods that pg calls. */
class SessionStream extends Duplex {
  connect(): this {
    queueMicrotask(() => this.emit('connect'));
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

/** The options with which `pg` reaches the embedded database: its superuser, as PGlite has no other user. */
export function embeddedConnection(embedded: EmbeddedDatabase): {
  readonly stream: () => Duplex;
  readonly user: string;
  readonly database: string;
} {
  return { stream: () => embedded.connect(), user: 'postgres', database: 'postgres' };
}

/** From source, a JavaScript bootstrap registers tsx: Node 20 can't run TypeScript in a worker. */
function startWorker(directory: string, { file, token }: DirectoryLock): Worker {
  const workerData: WorkerInput = { directory, lock: { file, token } };
  const fromSource = import.meta.url.endsWith('.ts');
  const entry = new URL(fromSource ? './embedded-worker.ts' : './embedded-worker.js', import.meta.url);
  if (!fromSource) return new Worker(entry, { workerData });
  const tsx = import.meta.resolve('tsx/esm/api');
  const bootstrap = `import('${tsx}').then((tsx) => { tsx.register(); return import('${entry}'); })`;
  return new Worker(bootstrap, { eval: true, workerData });
}
