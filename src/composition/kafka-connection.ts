import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigError, settings, type Config } from '../config/index.ts';

/** Reads the files that the Kafka settings name. Rejects with ConfigError for a file that is unreadable or invalid. */
export async function kafkaConnection({
  tls,
  ...kafka
}: Config['kafka']): Promise<
  Omit<Config['kafka'], 'tls'> & { readonly tls: { readonly authorities: string | null } | null }
> {
  if (tls === null) return { ...kafka, tls };
  const { authoritiesFile: file } = tls;
  return { ...kafka, tls: { authorities: file === null ? null : await authoritiesIn(file) } };
}

async function authoritiesIn(file: string): Promise<string> {
  const problem = `${settings.kafkaAuthorities.variable}: ${JSON.stringify(file)}`;
  let pem: string;
  try {
    pem = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${problem} can’t be read; check the path and its permissions`, { cause: error });
  }
  try {
    // Checks only the first certificate; TLS reads the others when a broker sends its chain.
    void new X509Certificate(pem);
  } catch (error) {
    throw new ConfigError(`${problem} must be a PEM file that contains a certificate`, { cause: error });
  }
  return pem;
}
