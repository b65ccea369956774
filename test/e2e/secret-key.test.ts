import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownerPool } from '../store/database.ts';
import { ADMIN_TOKEN, freshInstallation, runTreeline, type Installation } from './treeline-process.ts';

const OTHER_KEY = Buffer.alloc(32, 7);

describe('the secret key of an installation', () => {
  let installation: Installation;
  let file: string;

  beforeAll(async () => {
    installation = await freshInstallation();
    file = join(installation.settings['TREELINE_DATA_DIR'] ?? '', 'secret.key');
    const treeline = await runTreeline(installation.settings);
    await treeline.query(
      `mutation { provisionDevice(input: { endpoint: "urn:a", security: { psk: {} } }) { __typename } }`,
    );
    await treeline.stop();
  });

  afterAll(() => installation?.drop());

  /** Runs a command that is expected to end by itself. */
  function run(command: string, settings: Record<string, string> = {}): Promise<{ code: number; stderr: string }> {
    const ports = ['HTTP', 'COAP', 'COAPS', 'BOOTSTRAP', 'BOOTSTRAP_COAPS'].map((name) => [
      `TREELINE_${name}_PORT`,
      '0',
    ]);
    const env = {
      ...process.env,
      KAFKA_BROKERS: '',
      ...Object.fromEntries(ports),
      ...installation.settings,
      ...settings,
    };
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        ['--import', 'tsx', 'src/cli.ts', command],
        { env, timeout: 30_000 },
        (error, _stdout, stderr) => resolve({ code: error ? Number(error.code ?? -1) : 0, stderr }),
      );
    });
  }

  async function expectRefusal(words: readonly string[], settings: Record<string, string> = {}): Promise<void> {
    const { code, stderr } = await run('serve', settings);
    const lines = stderr.split('\n').filter((line) => line !== '' && !line.includes('"Treeline starts"'));
    expect({ code, lines: lines.length }).toEqual({ code: 1, lines: 1 });
    for (const word of words) expect(stderr).toContain(word);
  }

  async function expectStart(settings: Record<string, string> = {}): Promise<void> {
    const treeline = await runTreeline({ ...installation.settings, TREELINE_ADMIN_TOKEN: ADMIN_TOKEN, ...settings });
    expect(await treeline.stop()).toBe(0);
  }

  /** Makes the database one of the version before this check. */
  async function forgetCheck(): Promise<void> {
    const { pool, close } = await ownerPool(installation.location);
    // Row security applies to the owner too, and the names of the roles depend on the database.
    await pool.query('alter table settings no force row level security');
    const { rowCount } = await pool.query(`delete from settings where key = 'secret_key_check'`);
    await pool.query('alter table settings force row level security');
    await close();
    expect(rowCount).toBe(1);
  }

  it('is refused by name when the setting has another one than the database', async () => {
    await expectRefusal(['TREELINE_SECRET_KEY'], { TREELINE_SECRET_KEY: OTHER_KEY.toString('hex') });
  });

  it('is refused by name when the file has another one', async () => {
    const right = await readFile(file);
    await writeFile(file, OTHER_KEY.toString('base64'), { mode: 0o600 });
    await expectRefusal([file, 'TREELINE_SECRET_KEY']);
    await writeFile(file, right);
  });

  it('is not replaced by a new one when the file is missing', async () => {
    await rename(file, `${file}.away`);
    await expectRefusal([file, 'does not exist']);
    expect(existsSync(file)).toBe(false);
    const reseal = await run('reseal');
    expect(reseal).toMatchObject({ code: 1, stderr: expect.stringContaining(file) });
    expect(existsSync(file)).toBe(false);
    expect(existsSync(`${file}.next`)).toBe(false);
    await rename(`${file}.away`, file);
  });

  it('is found by a stored secret in a database of the previous version', async () => {
    await forgetCheck();
    await expectRefusal(['TREELINE_SECRET_KEY'], { TREELINE_SECRET_KEY: OTHER_KEY.toString('hex') });
    await expectStart();
    await expectRefusal(['TREELINE_SECRET_KEY'], { TREELINE_SECRET_KEY: OTHER_KEY.toString('hex') });
  });

  it('changes with treeline reseal', async () => {
    const before = await readFile(file);
    expect(await run('reseal')).toEqual({ code: 0, stderr: '' });
    const after = await readFile(file);
    // As an interrupted change leaves them.
    await writeFile(`${file}.next`, after, { mode: 0o600 });
    await writeFile(file, before);
    await expectRefusal([file, 'treeline reseal']);
    expect(await run('reseal')).toEqual({ code: 0, stderr: '' });
    await expectStart();
  }, 120_000);
});
