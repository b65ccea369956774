import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InstallationError, readPrivate, writePrivate } from './kept-file.ts';

/** The server's certificate with its issuers, and its private key, both as PEM text. */
export interface PemIdentity {
  readonly certificates: string;
  readonly privateKey: string;
}

/**
 * Returns the server's DTLS certificate and key: from the configured files, or from the data directory, where the first
 * start stores the result of `make` (a new key and a self-signed certificate).
 */
export async function dtlsIdentity(
  configured: { certificateFile: string; keyFile: string } | null,
  dataDir: string,
  make: () => PemIdentity,
): Promise<PemIdentity> {
  if (configured !== null) {
    const [certificates, privateKey] = await Promise.all([
      readText(configured.certificateFile),
      readText(configured.keyFile),
    ]);
    return { certificates, privateKey };
  }
  const certificateFile = join(dataDir, 'dtls-certificate.pem');
  const keyFile = join(dataDir, 'dtls-key.pem');
  const [certificates, privateKey] = await Promise.all([readPrivate(certificateFile), readPrivate(keyFile)]);
  if (certificates !== null && privateKey !== null) {
    return { certificates: certificates.toString(), privateKey: privateKey.toString() };
  }
  const made = make();
  await writePrivate(keyFile, made.privateKey);
  await writePrivate(certificateFile, made.certificates);
  return made;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new InstallationError(`${file} can't be read`, { cause: error });
  }
}
