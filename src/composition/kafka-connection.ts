import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigError, settings, type Config } from '../config.ts';

/** The way to the brokers with what the settings name as files. Rejects with ConfigError for a file that is no use. */
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
    throw new ConfigError(`${problem} can’t be read`, { cause: error });
  }
  try {
    // The first of them; the rest is looked at when a broker shows a certificate.
    void new X509Certificate(pem);
  } catch (error) {
    throw new ConfigError(`${problem} holds no certificate in PEM`, { cause: error });
  }
  return pem;
}
