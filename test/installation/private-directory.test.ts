import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { makePrivate } from '../../src/installation/index.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'treeline-private-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe.skipIf(process.platform === 'win32')('the data directory', () => {
  it('is made with mode 700', async () => {
    const directory = join(parent, 'a', 'b');
    await makePrivate(directory);
    expect(await modeOf(directory)).toBe('700');
  });

  it('is corrected with its files when it exists with a wider mode; secrets are left to be refused', async () => {
    await chmod(parent, 0o755);
    await mkdir(join(parent, 'database'), { mode: 0o755 });
    for (const name of ['notes', 'secret.key']) {
      await writeFile(join(parent, name), '');
      await chmod(join(parent, name), 0o644);
    }
    await makePrivate(parent);
    const modes = await Promise.all(['.', 'database', 'notes', 'secret.key'].map((name) => modeOf(join(parent, name))));
    expect(modes).toEqual(['700', '700', '600', '644']);
  });

  it('must be a directory', async () => {
    await writeFile(join(parent, 'file'), '');
    await expect(makePrivate(join(parent, 'file'))).rejects.toThrow(`${join(parent, 'file')} can't be made private`);
  });
});
