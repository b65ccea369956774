import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock, Timer } from '../clock.ts';
import { ConfigError, settings, type Config } from '../config/index.ts';
import type { Log, TlsIdentity } from '../server/index.ts';

/** How often the files are read again. */
const RELOAD_MS = 60_000;

type Files = NonNullable<Config['http']['tls']>;

/** The certificate of the API with its key, checked. */
export interface ApiCertificate extends TlsIdentity {
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Reads the files of TREELINE_HTTP_TLS_CERT and TREELINE_HTTP_TLS_KEY. Rejects with a ConfigError that names the setting
 * and the file when one can’t be read or used, the key is not the certificate’s, or the certificate has expired.
 */
export async function readApiCertificate({ certificateFile, keyFile }: Files, now: number): Promise<ApiCertificate> {
  const about = `${settings.httpCertificate.variable}: ${JSON.stringify(certificateFile)}`;
  const aboutKey = `${settings.httpKey.variable}: ${JSON.stringify(keyFile)}`;
  const certificate = await text(certificateFile, about);
  const own = parsed(() => new X509Certificate(certificate), `${about} must be a PEM file that contains a certificate`);
  const key = await text(keyFile, aboutKey);
  const privateKey: KeyObject = parsed(
    () => createPrivateKey(key),
    `${aboutKey} must be a PEM file that contains a private key without a passphrase`,
  );
  if (!own.checkPrivateKey(privateKey)) {
    throw new ConfigError(`${aboutKey} is not the private key of ${settings.httpCertificate.variable}`);
  }
  const expiresAt = Date.parse(own.validTo);
  if (expiresAt <= now) throw new ConfigError(`${about} has expired on ${new Date(expiresAt).toISOString()}`);
  // OpenSSL may refuse what is well-formed, such as a key that is too short.
  parsed(() => createSecureContext({ cert: certificate, key }), `${about} can’t be used for TLS`);
  return { certificate, key, expiresAt };
}

/** The certificate in use, kept up to date. */
export interface ReloadedCertificate {
  readonly present: ApiCertificate;
  stop(): void;
}

/**
 * Reads the files every minute and gives a changed certificate to `use`. Files that can’t be used are logged once for
 * each reason; the previous certificate then stays in use.
 */
export function reloadApiCertificate(options: {
  readonly files: Files;
  readonly first: ApiCertificate;
  readonly use: (identity: TlsIdentity) => void;
  readonly clock: Clock;
  readonly log: Log;
}): ReloadedCertificate {
  const { files, use, clock, log } = options;
  let present = options.first;
  let problem: string | null = null;
  let stopped = false;
  let timer: Timer;

  async function reload(): Promise<void> {
    try {
      const read = await readApiCertificate(files, clock.now());
      problem = null;
      if (stopped || (read.certificate === present.certificate && read.key === present.key)) return;
      present = read;
      use(read);
      log.info({ expiresAt: new Date(read.expiresAt).toISOString() }, 'the new certificate of the API is in use');
    } catch (error) {
      const { message } = error instanceof Error ? error : new Error(String(error));
      if (message === problem) return;
      problem = message;
      log.warn({ problem }, 'the certificate of the API can’t be reloaded; the previous one stays in use');
    }
  }

  function schedule(): void {
    timer = clock.after(RELOAD_MS, () => void reload().finally(() => stopped || schedule()));
  }

  schedule();
  return {
    get present() {
      return present;
    },
    stop() {
      stopped = true;
      timer.cancel();
    },
  };
}

async function text(file: string, about: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${about} can’t be read; check the path and its permissions`, { cause: error });
  }
}

function parsed<T>(parse: () => T, problem: string): T {
  try {
    return parse();
  } catch (error) {
    throw new ConfigError(problem, { cause: error });
  }
}
