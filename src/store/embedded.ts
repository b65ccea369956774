import { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';

import { lockDirectory } from './directory-lock.ts';
import type { FromDatabase, ToDatabase } from './embedded-worker.ts';
import { StoreError } from './error.ts';

/** PGlite in a thread of its own, which `pg` speaks to as if it were a socket. It has one session. */
export interface EmbeddedDatabase {
  /** The stream for `new pg.Client({ stream })`; opening one ends the session before it. */
  connect(): Duplex;
  /** Writes what is left to the files and ends the thread. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the database in `directory`, making it at the first start. Throws IN_USE when another process has it and
 * CANNOT_OPEN when its files can't be read. `onLost` is told when the database ends unasked.
 *
 * Durability: a transaction is in the operating system's hands before `commit` is answered, so a killed process loses
 * nothing; PGlite does not fsync, so a power cut may lose the last seconds. Postgres is for those who can't afford that.
 */
export async function openEmbedded(directory: string, onLost: (error: StoreError) => void): Promise<EmbeddedDatabase> {
  const unlock = lockDirectory(directory);
  const worker = startWorker(directory);
  const send = (message: ToDatabase, transfer: ArrayBuffer[] = []): void => worker.postMessage(message, transfer);
  let stream: Duplex | undefined;
  /** Counts the sessions: an answer to one that is over must not reach the next. */
  let session = 0;
  let state: 'opening' | 'open' | 'closing' | 'lost' = 'opening';

  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  void ended.then(unlock);
  await new Promise<void>((resolve, reject) => {
    let cause: unknown;
    worker.on('error', (error) => (cause = error));
    worker.once('exit', () => {
      const detail = cause instanceof Error ? cause.message : 'its thread ended';
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
        // pg corks the five messages of a statement: they go over as one.
        writev(chunks, done) {
          if (state !== 'open') return done(new StoreError('LOST', 'the embedded database has ended'));
          // A copy: pg's buffers are slices of a pool, and transferring one would take the pool along.
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

/** What pg asks of a socket beside reading and writing. */
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

/** Node 20 reads no TypeScript in a worker, and tsx does not register itself there: from source, JavaScript does that. */
function startWorker(directory: string): Worker {
  const fromSource = import.meta.url.endsWith('.ts');
  const entry = new URL(fromSource ? './embedded-worker.ts' : './embedded-worker.js', import.meta.url);
  if (!fromSource) return new Worker(entry, { workerData: directory });
  const tsx = import.meta.resolve('tsx/esm/api');
  const bootstrap = `import('${tsx}').then((tsx) => { tsx.register(); return import('${entry}'); })`;
  return new Worker(bootstrap, { eval: true, workerData: directory });
}
