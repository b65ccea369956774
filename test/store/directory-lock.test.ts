import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { lockDirectory } from '../../src/store/directory-lock.ts';

let root: string;
let directory: string;
let file: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'treeline-test-'));
  directory = join(root, 'made', 'when missing');
  file = join(directory, 'lock');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true });
});

/** Leaves the directory locked by what these words say. */
function leave(words: string): void {
  lockDirectory(directory)();
  writeFileSync(file, words);
}

/** The id of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  if (child.pid === undefined) throw new Error('the process did not start');
  return child.pid;
}

const IN_USE = expect.objectContaining({ name: 'StoreError', code: 'IN_USE' });

describe('the lock of a directory', () => {
  it('is held until it is given back, and names its process', () => {
    const unlock = lockDirectory(directory);
    expect(readFileSync(file, 'utf8').split(' ')[0]).toBe(String(process.pid));
    expect(() => lockDirectory(directory)).toThrow(IN_USE);
    expect(() => lockDirectory(directory)).toThrow(directory);
    expect(() => lockDirectory(directory)).toThrow(String(process.pid));
    unlock();
    expect(existsSync(file)).toBe(false);
    lockDirectory(directory)();
    unlock();
  });

  it('stays with a living process that did not say when it started', () => {
    leave(String(process.pid));
    expect(() => lockDirectory(directory)).toThrow(IN_USE);
  });

  it('stays with a living process of another user', async () => {
    leave(String(await endedProcess()));
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('not permitted'), { code: 'EPERM' });
    });
    expect(() => lockDirectory(directory)).toThrow(IN_USE);
  });

  it('is taken from a process that has ended', async () => {
    const ended = await endedProcess();
    for (const words of [`${ended}`, `${ended} 12345`]) {
      leave(words);
      lockDirectory(directory)();
    }
  });

  it('is taken from a process that had the same id before a restart', () => {
    leave(`${process.pid} 1`);
    lockDirectory(directory)();
  });

  // Signals to 0 and -1 reach other processes, which live.
  it.each(['', 'rubbish', '0', '-1', '1.5', 'NaN 1'])('is taken from what names no process: %j', (words) => {
    leave(words);
    lockDirectory(directory)();
    expect(existsSync(file)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('stays with a process whose name has blanks and brackets', () => {
    const { title } = process;
    try {
      process.title = 'a) b (c';
      const unlock = lockDirectory(directory);
      process.title = 'plain';
      expect(() => lockDirectory(directory)).toThrow(IN_USE);
      unlock();
    } finally {
      process.title = title;
    }
  });

  it.runIf(process.platform === 'linux')('can’t be taken in a directory that refuses new files', () => {
    expect(() => lockDirectory('/proc/self')).toThrow(
      expect.objectContaining({
        name: 'StoreError',
        code: 'CANNOT_OPEN',
        message: expect.stringContaining('/proc/self'),
      }),
    );
  });
});
