import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { settings } from '../config/index.ts';
import { StoreError } from './error.ts';

const SETTING = settings.dataDir.variable;

/**
 * Locks the directory for this process, and creates it when it is missing. PGlite has no lock, and two writers would
 * destroy the files. Throws IN_USE when a running process holds the lock; replaces the lock of a process that has
 * ended. The returned function releases the lock.
 */
export function lockDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'lock');
  const mine = `${process.pid} ${startOf(process.pid) ?? ''}`.trim();
  for (;;) {
    try {
      writeFileSync(file, mine, { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) {
        throw new StoreError('CANNOT_OPEN', `${SETTING}: can't lock the directory ${directory}: ${reason(error)}`);
      }
    }
    const [holder = 0, start] = readHolder(file);
    if (lives(holder, start)) {
      throw new StoreError('IN_USE', `${SETTING}: the directory ${directory} is in use by process ${holder}`);
    }
    rmSync(file, { force: true });
  }
}

function readHolder(file: string): [pid: number, start: string | undefined] {
  try {
    const [pid, start] = readFileSync(file, 'utf8').split(' ');
    return [Number(pid), start];
  } catch {
    return [0, undefined];
  }
}

/** In a container the same few process IDs occur again after every restart, so the start time is compared too. */
function lives(pid: number, start: string | undefined): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!isErrno(error, 'EPERM')) return false;
  }
  return start === undefined || start === startOf(pid);
}

/** The start time of a process in clock ticks since boot: field 22 of `stat` in proc(5). Undefined without /proc. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the process name in parentheses; it may contain blanks and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
