import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  futimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import type { Clock, Timer } from '../clock.ts';
import { settings } from '../config/index.ts';
import { StoreError } from './error.ts';
import { ended, isErrno, thisProcess, type LockHolder } from './lock-holder.ts';

const SETTING = settings.dataDir.variable;
/** The holder renews the time of its file this often. */
export const BEAT_MS = 1_000;
/** A holder whose process can't be looked up has ended if it has not renewed its file for this long. */
export const STALE_MS = 8_000;
/** `lock.7` is held; `lock.7.released` was given back. */
const LOCK_FILE = /^lock\.(\d{1,15})(\.released)?$/;

/** The right of this process to use a directory. */
export interface DirectoryLock {
  /** The lock is held while this file contains `token`. */
  readonly file: string;
  readonly token: string;
  /** Gives the directory back. Idempotent. */
  release(): void;
}

export interface LockOptions {
  readonly clock: Clock;
  /** Called with a sentence before a wait for a holder that can't be looked up. */
  readonly onNotice?: (text: string) => void;
  /** Called when another process has taken the lock, because this one did not renew it for STALE_MS. */
  readonly onLost: () => void;
}

/**
 * Locks the directory for this process, and creates it when it is missing. PGlite has no lock, and two writers would
 * destroy the files. Throws IN_USE when another process holds the lock, also in another container or on another host: a
 * holder renews the time of its file. The lock of a process that has ended is taken at once if this process can look it
 * up, else after STALE_MS.
 *
 * The files have numbers, of which the highest counts, and numbers only grow: of several processes, one can create the
 * next number, and a holder that stood still finds its own file gone. Before each use of the directory it has to check
 * its file (`holdsLock`).
 */
export async function lockDirectory(directory: string, options: LockOptions): Promise<DirectoryLock> {
  // The timers of a clock don't keep the process alive, and nothing else may be open yet.
  const alive = setInterval(() => {}, STALE_MS);
  try {
    return await locked(directory, options);
  } finally {
    clearInterval(alive);
  }
}

async function locked(directory: string, options: LockOptions): Promise<DirectoryLock> {
  const { clock } = options;
  for (;;) {
    const top = highest(directory);
    if (top !== null && !top.released) {
      if (!(await hasEnded(directory, top.file, options))) continue;
    }
    requireNoEarlierLock(directory);
    const number = (top?.number ?? 0) + 1;
    const file = join(directory, `lock.${number}`);
    const token = randomUUID();
    if (!create(directory, file, { ...thisProcess(), token })) {
      // On a network drive, the list of files may be older than the file that another process has created.
      await wait(clock, BEAT_MS / 4);
      continue;
    }
    const lower = lockFiles(directory).filter((other) => other.file !== file);
    if (lower.some((other) => other.number > number)) {
      rmSync(file, { force: true });
      continue;
    }
    for (const other of lower) rmSync(other.file, { force: true });
    return held(file, token, options);
  }
}

/** True while the file contains the token. Reads the file. */
export function holdsLock(file: string, token: string): boolean {
  return readHolder(file)?.token === token;
}

function held(file: string, token: string, { clock, onLost }: LockOptions): DirectoryLock {
  let timer: Timer | null = null;
  const beat = (): void => {
    try {
      if (!holdsLock(file, token)) return onLost();
      const opened = openSync(file, 'r+');
      const seconds = clock.now() / 1000;
      try {
        // A change of the time needs no space on the disk.
        futimesSync(opened, seconds, seconds);
      } finally {
        closeSync(opened);
      }
    } catch {
      // The next beat tries again. If all fail, another process takes the lock, and this one finds that out.
    }
    timer = clock.after(BEAT_MS, beat);
  };
  timer = clock.after(BEAT_MS, beat);
  return {
    file,
    token,
    release() {
      timer?.cancel();
      try {
        if (holdsLock(file, token)) renameSync(file, `${file}.released`);
      } catch {
        // The next process finds that this one has ended.
      }
    },
  };
}

interface LockFile {
  readonly file: string;
  readonly number: number;
  readonly released: boolean;
}

function highest(directory: string): LockFile | null {
  return lockFiles(directory).reduce<LockFile | null>(
    (top, one) => (top === null || one.number > top.number ? one : top),
    null,
  );
}

function lockFiles(directory: string): LockFile[] {
  try {
    mkdirSync(directory, { recursive: true });
    return readdirSync(directory).flatMap((name) => {
      const [, number, released] = LOCK_FILE.exec(name) ?? [];
      if (number === undefined) return [];
      return [{ file: join(directory, name), number: Number(number), released: released !== undefined }];
    });
  } catch (error) {
    throw notLockable(directory, error);
  }
}

/** Creates the file with the holder; false if it exists. */
function create(directory: string, file: string, holder: LockHolder): boolean {
  try {
    writeFileSync(file, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw notLockable(directory, error);
  }
}

/**
 * Says whether the holder of the lock has ended; false when the file has gone or changed meanwhile. Throws IN_USE when
 * the holder lives.
 */
async function hasEnded(directory: string, file: string, { clock, onNotice }: LockOptions): Promise<boolean> {
  const holder = readHolder(file);
  const known = holder && ended(holder);
  if (known === true) return true;
  if (known === false) throw inUse(directory, holder);
  const first = timeOf(directory, file);
  if (first === null) return false;
  onNotice?.(
    `waiting up to ${STALE_MS / 1000} s to see whether ${nameOf(holder)}, which locked the directory ${directory}, still runs`,
  );
  for (const until = clock.now() + STALE_MS; clock.now() < until;) {
    await wait(clock, BEAT_MS / 2);
    const now = timeOf(directory, file);
    if (now === null || readHolder(file)?.token !== holder?.token) return false;
    if (now !== first) throw inUse(directory, holder);
  }
  return true;
}

/** Earlier versions had one file, `lock`, with the process and its start. */
function requireNoEarlierLock(directory: string): void {
  const file = join(directory, 'lock');
  if (!existsSync(file)) return;
  const [pid = '', start] = readFileSync(file, 'utf8').split(' ');
  const earlier = { ...thisProcess(), token: '', pid: Number(pid), start: start ?? null };
  if (ended(earlier) !== true) throw inUse(directory, earlier);
  rmSync(file, { force: true });
}

/** Null if the file is missing or its holder has not written it completely. */
function readHolder(file: string): LockHolder | null {
  try {
    const { token, pid, start, space, host } = JSON.parse(readFileSync(file, 'utf8')) as Partial<LockHolder>;
    if (typeof token !== 'string' || typeof pid !== 'number') return null;
    return { token, pid, start: start ?? null, space: space ?? null, host: String(host) };
  } catch {
    return null;
  }
}

/** The time of the file in milliseconds; null if it is gone. A network drive asks its server when a file is opened. */
function timeOf(directory: string, file: string): number | null {
  try {
    const opened = openSync(file, 'r');
    try {
      return fstatSync(opened).mtimeMs;
    } finally {
      closeSync(opened);
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw notLockable(directory, error);
  }
}

function nameOf(holder: LockHolder | null): string {
  if (holder === null) return 'another process';
  return `process ${holder.pid}${holder.host === hostname() ? '' : ` on ${holder.host}`}`;
}

function inUse(directory: string, holder: LockHolder | null): StoreError {
  return new StoreError('IN_USE', `${SETTING}: the directory ${directory} is in use by ${nameOf(holder)}`);
}

function notLockable(directory: string, error: unknown): StoreError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError('CANNOT_OPEN', `${SETTING}: can't lock the directory ${directory}: ${reason}`);
}

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}
