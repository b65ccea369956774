import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  BEAT_MS,
  holdsLock,
  lockDirectory,
  STALE_MS,
  type DirectoryLock,
  type LockOptions,
} from '../../src/store/directory-lock.ts';
import { thisProcess, type LockHolder } from '../../src/store/lock-holder.ts';
import { ManualClock } from '../manual-clock.ts';

const IN_USE = expect.objectContaining({ name: 'StoreError', code: 'IN_USE' });
/** A process that this one can't look up. */
const ELSEWHERE = { space: 'another boot pid:[1]', host: 'other-host' };

let root: string;
let directory: string;
let clock: ManualClock;
let options: LockOptions & { readonly onNotice: ReturnType<typeof vi.fn>; readonly onLost: ReturnType<typeof vi.fn> };
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'treeline-test-'));
  directory = join(root, 'made', 'when missing');
  clock = new ManualClock();
  options = { clock, onNotice: vi.fn<(text: string) => void>(), onLost: vi.fn<() => void>() };
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true });
});

function lock(): Promise<DirectoryLock> {
  return lockDirectory(directory, options);
}

/** Leaves the directory locked by this holder, and returns the file. */
function leave(holder: Partial<LockHolder> | string, name = 'lock.7'): string {
  const words = typeof holder === 'string' ? holder : JSON.stringify({ ...thisProcess(), token: 'theirs', ...holder });
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), words);
  return join(directory, name);
}

/** The id of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  if (child.pid === undefined) throw new Error('the process did not start');
  return child.pid;
}

describe('the lock of a directory', () => {
  it('is held until it is given back, and names its process', async () => {
    const first = await lock();
    expect(first.file).toBe(join(directory, 'lock.1'));
    expect(JSON.parse(readFileSync(first.file, 'utf8'))).toMatchObject({ pid: process.pid, token: first.token });
    await expect(lock()).rejects.toThrow(IN_USE);
    await expect(lock()).rejects.toThrow(`${directory} is in use by process ${process.pid}`);
    first.release();
    expect(readdirSync(directory)).toEqual(['lock.1.released']);
    const second = await lock();
    first.release();
    expect(readdirSync(directory)).toEqual(['lock.2']);
    second.release();
    expect(options.onNotice).not.toHaveBeenCalled();
  });

  it('is taken at once from a process of this system that has ended', async () => {
    leave({ pid: await endedProcess() });
    expect((await lock()).file).toBe(join(directory, 'lock.8'));
    expect(readdirSync(directory)).toEqual(['lock.8']);
    expect(options.onNotice).not.toHaveBeenCalled();
  });

  it.runIf(process.platform === 'linux')('is taken from a process that had the same id before a restart', async () => {
    leave({ start: '1' });
    await lock();
    expect(options.onNotice).not.toHaveBeenCalled();
  });

  it.runIf(process.platform === 'linux')('is taken from a killed process that its parent still lists', async () => {
    // Its parent never asks for its end.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(line);
      const stat = (): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '';
      leave({ pid, start: stat().split(' ')[19] ?? null });
      await expect(lock()).rejects.toThrow(IN_USE);
      await vi.waitFor(() => expect(readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n'));
      process.kill(pid, 'SIGKILL');
      await vi.waitFor(() => expect(stat()[0]).toBe('Z'));
      await lock();
      expect(options.onNotice).not.toHaveBeenCalled();
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('stays with a process elsewhere that renews it', async () => {
    const file = leave(ELSEWHERE);
    const result = expect(lock()).rejects.toThrow(/in use by process \d+ on other-host/);
    await clock.advance(STALE_MS / 2);
    utimesSync(file, 1, 1);
    await clock.advance(STALE_MS);
    await result;
    expect(options.onNotice).toHaveBeenCalledWith(expect.stringMatching(/waiting up to 8 s .* on other-host/));
    expect(readdirSync(directory)).toEqual(['lock.7']);
  });

  it('is taken from a process elsewhere that does not renew it, by one process', async () => {
    leave(ELSEWHERE);
    const contenders = [lock(), lock(), lock()];
    const settled = Promise.allSettled(contenders);
    await clock.advance(STALE_MS - 1);
    expect(readdirSync(directory)).toEqual(['lock.7']);
    await clock.advance(2 * BEAT_MS);
    expect((await settled).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(readdirSync(directory)).toEqual(['lock.8']);
  });

  it.each(['', 'rubbish', '{}', '{"token":"x"}'])(
    'is taken after a wait if its file names no holder: %j',
    async (words) => {
      leave(words);
      const taken = lock();
      await clock.advance(STALE_MS + BEAT_MS);
      expect((await taken).file).toBe(join(directory, 'lock.8'));
    },
  );

  it('is taken when it is given back during the wait', async () => {
    const file = leave(ELSEWHERE);
    const taken = lock();
    await clock.advance(BEAT_MS);
    rmSync(file);
    leave('', 'lock.7.released');
    await clock.advance(BEAT_MS);
    await taken;
    expect(readdirSync(directory)).toEqual(['lock.8']);
  });

  it('is not taken with a number that others have passed meanwhile', async () => {
    const file = leave({ pid: await endedProcess() });
    vi.spyOn(process, 'kill').mockImplementationOnce(() => {
      // While this process finds that the holder of 7 has ended, others hold 8 and then 9.
      rmSync(file);
      leave({}, 'lock.9');
      throw Object.assign(new Error('no such process'), { code: 'ESRCH' });
    });
    await expect(lock()).rejects.toThrow(IN_USE);
    expect(readdirSync(directory)).toEqual(['lock.9']);
  });

  it('is renewed by its holder', async () => {
    const file = leave({ pid: await endedProcess() });
    expect(existsSync(file)).toBe(true);
    const held = await lock();
    await clock.advance(BEAT_MS);
    const other = lockDirectory(directory, { ...options, clock: new ManualClock() });
    await expect(other).rejects.toThrow(IN_USE);
    const before = readFileSync(held.file, 'utf8');
    writeFileSync(held.file, before.replace(/"space":"[^"]*"/, '"space":"elsewhere"'));
    const watching = expect(lock()).rejects.toThrow(IN_USE);
    await clock.advance(STALE_MS);
    await watching;
    held.release();
    expect(clock.pendingCount).toBe(0);
  });

  it('is lost to a process that took it while this one stood still, which finds that out', async () => {
    const held = await lock();
    rmSync(held.file);
    leave({}, 'lock.2');
    expect(holdsLock(held.file, held.token)).toBe(false);
    await clock.advance(BEAT_MS);
    expect(options.onLost).toHaveBeenCalledOnce();
    held.release();
    expect(readdirSync(directory)).toEqual(['lock.2']);
    // A later lock with the same number is not this one.
    leave({}, 'lock.1');
    expect(holdsLock(held.file, held.token)).toBe(false);
  });

  it('of an earlier version stays with a living process, and is taken from one that has ended', async () => {
    const file = leave(String(process.pid), 'lock');
    await expect(lock()).rejects.toThrow(IN_USE);
    vi.spyOn(process, 'kill').mockImplementationOnce(() => {
      throw Object.assign(new Error('not permitted'), { code: 'EPERM' });
    });
    await expect(lock()).rejects.toThrow(IN_USE);
    // Signals to 0 and -1 reach other processes, which live.
    for (const words of [
      `${await endedProcess()} 12345`,
      `${process.pid} 1`,
      '',
      'rubbish',
      '0',
      '-1',
      '1.5',
      'NaN 1',
    ]) {
      leave(words, 'lock');
      (await lock()).release();
      expect(existsSync(file)).toBe(false);
    }
  });

  it.runIf(process.platform === 'linux')('stays with a process whose name has blanks and brackets', async () => {
    const { title } = process;
    try {
      process.title = 'a) b (c';
      const held = await lock();
      process.title = 'plain';
      await expect(lock()).rejects.toThrow(IN_USE);
      held.release();
    } finally {
      process.title = title;
    }
  });

  it.runIf(process.platform === 'linux')('can’t be taken in a directory that refuses new files', async () => {
    await expect(lockDirectory('/proc/self', options)).rejects.toThrow(
      expect.objectContaining({
        name: 'StoreError',
        code: 'CANNOT_OPEN',
        message: expect.stringContaining('/proc/self'),
      }),
    );
  });
});
