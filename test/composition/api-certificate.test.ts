import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { readApiCertificate, reloadApiCertificate } from '../../src/composition/api-certificate.ts';
import { ConfigError } from '../../src/config/index.ts';
import { createServerIdentity } from '../../src/dtls/index.ts';
import { ManualClock } from '../manual-clock.ts';

const DAY = 86_400_000;
const NOW = new ManualClock().now();
const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function pem(days = 7, now = NOW) {
  const { certificates, privateKey } = createServerIdentity({ commonName: 'api', names: ['localhost'], now, days });
  return { certificate: certificates, key: privateKey };
}

/** Writes both files; `write` replaces them. */
function files(first: { certificate: string; key: string }) {
  const directory = mkdtempSync(join(tmpdir(), 'treeline-api-'));
  directories.push(directory);
  const certificateFile = join(directory, 'certificate.pem');
  const keyFile = join(directory, 'key.pem');
  const write = ({ certificate, key }: typeof first): void => {
    writeFileSync(certificateFile, certificate);
    writeFileSync(keyFile, key);
  };
  write(first);
  return { certificateFile, keyFile, write };
}

function encrypted(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'hunter2' }).toString();
}

describe('the certificate of the API', () => {
  it('is read with the time when it expires', async () => {
    const both = pem(7);
    expect(await readApiCertificate(files(both), NOW)).toEqual({ ...both, expiresAt: NOW + 7 * DAY });
  });

  it.each<[string, { certificate: string; key: string }, string, string]>([
    ['is no certificate', { ...pem(), certificate: 'text' }, 'TREELINE_HTTP_TLS_CERT', 'contains a certificate'],
    ['has expired', pem(7, NOW - 8 * DAY), 'TREELINE_HTTP_TLS_CERT', 'has expired on 2025-12-31'],
    ['has a file that is no key', { ...pem(), key: 'text' }, 'TREELINE_HTTP_TLS_KEY', 'contains a private key'],
    ['has an encrypted key', { ...pem(), key: encrypted() }, 'TREELINE_HTTP_TLS_KEY', 'without a passphrase'],
    ['has another key', { ...pem(), key: pem().key }, 'TREELINE_HTTP_TLS_KEY', 'is not the private key of'],
  ])('that %s is refused', async (_case, both, variable, problem) => {
    const refused = readApiCertificate(files(both), NOW);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(new RegExp(`^${variable}: ".*${problem}`));
  });

  it.each(['certificateFile', 'keyFile'] as const)('names a missing %s', async (which) => {
    const present = files(pem());
    const refused = readApiCertificate({ ...present, [which]: '/nowhere/file.pem' }, NOW);
    await expect(refused).rejects.toThrow('"/nowhere/file.pem" can’t be read');
  });
});

async function reloading() {
  const clock = new ManualClock();
  const first = pem();
  const both = files(first);
  const lines: string[] = [];
  const log = {
    info: (_: object, text: string) => void lines.push(text),
    warn: (_: object, text: string) => void lines.push(text),
    error: () => {},
  };
  const used: string[] = [];
  const reloaded = reloadApiCertificate({
    files: both,
    first: await readApiCertificate(both, NOW),
    use: ({ certificate }) => void used.push(certificate),
    clock,
    log,
  });
  /** Lets a minute pass; resolves when the files were read again. */
  const minute = async (): Promise<void> => {
    await clock.advance(60_000);
    while (clock.pendingCount === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  return { both, clock, first, lines, minute, reloaded, used };
}

describe('changed files', () => {
  it('are used within a minute', async () => {
    const { both, minute, used, reloaded, lines, clock } = await reloading();
    await minute();
    expect(used).toEqual([]);
    const next = pem(90);
    both.write(next);
    await minute();
    await minute();
    expect(used).toEqual([next.certificate]);
    expect(reloaded.present.expiresAt).toBe(NOW + 90 * DAY);
    expect(lines).toEqual(['the new certificate of the API is in use']);
    reloaded.stop();
    expect(clock.pendingCount).toBe(0);
  });

  it('that can’t be used are logged once, and the certificate before them stays', async () => {
    const { both, first, minute, used, reloaded, lines } = await reloading();
    both.write({ ...first, key: 'half a fi' });
    await minute();
    await minute();
    expect([used, reloaded.present.certificate]).toEqual([[], first.certificate]);
    expect(lines).toEqual(['the certificate of the API can’t be reloaded; the previous one stays in use']);
    both.write(pem(30));
    await minute();
    expect(used).toHaveLength(1);
    reloaded.stop();
  });
});
