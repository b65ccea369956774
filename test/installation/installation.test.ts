import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createSecretKey,
  dtlsIdentity,
  presentSecretKey,
  saveSessions,
  takeSavedSessions,
} from '../../src/installation/index.ts';

function neverMade(): never {
  throw new Error('the identity was made twice');
}

describe('the files of an installation', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'treeline-installation-'));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  const made = { certificates: 'certificates', privateKey: 'key' };

  it('are created once, found again, and accessible only to their owner', async () => {
    const dataDir = join(directory, 'new');
    expect(await presentSecretKey(null, dataDir)).toBeNull();
    const first = await createSecretKey(dataDir);
    await dtlsIdentity(null, dataDir, () => made);
    expect(first).toHaveLength(32);
    expect(await presentSecretKey(null, dataDir)).toEqual(first);
    await expect(createSecretKey(dataDir)).rejects.toThrow('exists');
    expect(await dtlsIdentity(null, dataDir, neverMade)).toEqual(made);
    for (const file of await readdir(dataDir)) expect((await stat(join(dataDir, file))).mode & 0o777).toBe(0o600);
  });

  it('are not used when the settings configure a key and an identity', async () => {
    const configured = Buffer.alloc(32, 1);
    expect(await presentSecretKey(configured, directory)).toBe(configured);
    await writeFile(join(directory, 'cert.pem'), 'theirs');
    await writeFile(join(directory, 'key.pem'), 'theirs too');
    const files = { certificateFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
    const identity = { certificates: 'theirs', privateKey: 'theirs too' };
    expect(await dtlsIdentity(files, directory, () => made)).toEqual(identity);
  });

  it('cause an error with the path when a configured file does not exist', async () => {
    const files = { certificateFile: join(directory, 'none.pem'), keyFile: join(directory, 'none.pem') };
    await expect(dtlsIdentity(files, directory, () => made)).rejects.toThrow(files.certificateFile);
  });

  it('are refused when other users can read the secret key', async () => {
    await createSecretKey(directory);
    await chmod(join(directory, 'secret.key'), 0o644);
    await expect(presentSecretKey(null, directory)).rejects.toThrow('chmod 600');
  });

  it('are never replaced: a damaged secret key is an error', async () => {
    await writeFile(join(directory, 'secret.key'), 'damaged', { mode: 0o600 });
    await expect(presentSecretKey(null, directory)).rejects.toThrow('secret.key');
    await expect(createSecretKey(directory)).rejects.toThrow('exists');
  });

  it('contain saved sessions, which can be taken once', async () => {
    await saveSessions(directory, Buffer.from('sealed'));
    expect(await takeSavedSessions(directory)).toEqual(Buffer.from('sealed'));
    expect(await takeSavedSessions(directory)).toBeNull();
  });
});
