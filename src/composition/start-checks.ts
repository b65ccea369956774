import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigError, settings, type Config } from '../config/index.ts';
import { loadServerIdentity } from '../dtls/index.ts';
import { makePrivate } from '../installation/index.ts';

/** Makes the data directory if it is missing. Rejects with a ConfigError that names the setting. */
export async function prepareDataDirectory({ dataDir }: Pick<Config, 'dataDir'>): Promise<void> {
  try {
    await makePrivate(dataDir);
  } catch (error) {
    throw new ConfigError(`${settings.dataDir.variable}: ${JSON.stringify(dataDir)} can’t be used`, { cause: error });
  }
}

/**
 * Checks the files of TREELINE_DTLS_CERT and TREELINE_DTLS_KEY. Rejects with a ConfigError that names the setting and the
 * file when one can’t be read or used, or the certificate has expired. Generated files are not checked.
 */
export async function checkDtlsFiles({ coaps }: Pick<Config, 'coaps'>, now: number): Promise<void> {
  if (coaps.identity === null) return;
  const { certificateFile, keyFile } = coaps.identity;
  const about = `${settings.dtlsCertificate.variable}: ${JSON.stringify(certificateFile)}`;
  const aboutKey = `${settings.dtlsKey.variable}: ${JSON.stringify(keyFile)}`;
  const [certificates, privateKey] = [await text(certificateFile, about), await text(keyFile, aboutKey)];
  try {
    loadServerIdentity({ certificates, privateKey });
  } catch (error) {
    const variables = `${settings.dtlsCertificate.variable} and ${settings.dtlsKey.variable}`;
    throw new ConfigError(`${variables} (${certificateFile}, ${keyFile}) can’t be used`, { cause: error });
  }
  const expiresAt = Date.parse(new X509Certificate(certificates).validTo);
  if (expiresAt <= now) throw new ConfigError(`${about} has expired on ${new Date(expiresAt).toISOString()}`);
}

async function text(file: string, about: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${about} can’t be read; check the path and its permissions`, { cause: error });
  }
}
