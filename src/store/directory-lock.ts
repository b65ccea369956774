import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { StoreError } from './error.ts';

/**
 * Takes the directory (made when it is missing) for this process: PGlite has no lock of its own, and two writers would
 * destroy the files. Throws IN_USE when a living process has it; what a dead one left is taken over. The returned
 * function gives it back.
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
        throw new StoreError('CANNOT_OPEN', `can't lock the data directory ${directory}: ${reason(error)}`);
      }
    }
    const [holder = 0, start] = readHolder(file);
    if (lives(holder, start)) {
      throw new StoreError('IN_USE', `the data directory ${directory} is in use by process ${holder}`);
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

/** In a container the same few process ids come back after every restart: the time of the start tells them apart. */
function lives(pid: number, start: string | undefined): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!isErrno(error, 'EPERM')) return false;
  }
  return start === undefined || start === startOf(pid);
}

/** When the process started, in clock ticks since boot: field 22 of proc(5)'s stat. Undefined where there is no /proc. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in brackets, and may itself hold blanks and brackets.
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
