import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The process that holds a lock, as its file names it. */
export interface LockHolder {
  /** Unique for each lock that was taken. */
  readonly token: string;
  readonly pid: number;
  /** Its start in clock ticks since boot; null where the system does not tell. */
  readonly start: string | null;
  /** Where `pid` is valid: the running system and its PID namespace; null where the system does not tell. */
  readonly space: string | null;
  readonly host: string;
}

/** This process, for the file of a lock. */
export function thisProcess(): Omit<LockHolder, 'token'> {
  return { pid: process.pid, start: statOf(process.pid)?.start ?? null, space: spaceOfThisProcess(), host: hostname() };
}

/**
 * Says whether the process has ended. Null: this process can't know it, because the other is in another container or on
 * another host, or because another process may have its ID now.
 */
export function ended({ pid, start, space, host }: LockHolder): boolean | null {
  const own = spaceOfThisProcess();
  if (own === null ? host !== hostname() : space !== own) return null;
  if (!Number.isInteger(pid) || pid <= 0) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!isErrno(error, 'EPERM')) return true;
  }
  // In a container the same few process IDs occur again after every restart, so the start time is compared too.
  const present = statOf(pid);
  if (present?.dead) return true;
  if (start === null || present === null) return null;
  return start !== present.start;
}

/** proc(5), namespaces(7): the boot, and the namespace in which process IDs are valid. Null without /proc. */
function spaceOfThisProcess(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

/**
 * The state of a process and its start in clock ticks since boot: fields 3 and 22 of `stat` in proc(5). A killed process
 * whose parent has not asked for its end is dead and still listed. Null without /proc.
 */
function statOf(pid: number): { readonly dead: boolean; readonly start: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the process name in parentheses; it may contain blanks and parentheses.
    const [state = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { dead: state === 'Z' || state === 'X', start: rest[18] ?? '' };
  } catch {
    return null;
  }
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
