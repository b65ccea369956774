import { hash, timingSafeEqual } from 'node:crypto';

import type { Clock } from '../clock.ts';
import type { CertificateVerdict, Credentials, Proof, PskCredential } from './credentials.ts';
import { DtlsError } from './error.ts';
import type { DtlsLimits } from './settings.ts';

/** Asks the credentials, never more than so many questions at a time and never for longer than so long. */
export class LookUps {
  readonly #credentials: Credentials;
  readonly #clock: Clock;
  readonly #limits: DtlsLimits;
  #pending = 0;

  constructor(credentials: Credentials, clock: Clock, limits: DtlsLimits) {
    this.#credentials = credentials;
    this.#clock = clock;
    this.#limits = limits;
  }

  get pending(): number {
    return this.#pending;
  }

  psk(identity: Buffer): Promise<PskCredential | null> {
    return this.#ask(() => this.#credentials.psk(identity));
  }

  rawPublicKey(spki: Buffer): Promise<{ readonly credential: string } | null> {
    return this.#ask(() => this.#credentials.rawPublicKey(spki));
  }

  certificate(chain: readonly Buffer[]): Promise<CertificateVerdict> {
    return this.#ask(() => this.#credentials.certificate(chain));
  }

  /** Whether what a peer once proved would be answered with the same credential, and the same key, today. */
  async stillHolds(proof: Proof, credential: string): Promise<boolean> {
    switch (proof.kind) {
      case 'psk': {
        const found = await this.psk(proof.identity);
        return found?.credential === credential && timingSafeEqual(keyDigest(found.key), proof.keyDigest);
      }
      case 'rpk':
        return (await this.rawPublicKey(proof.spki))?.credential === credential;
      case 'x509': {
        const verdict = await this.certificate(proof.chain);
        return 'credential' in verdict && verdict.credential === credential;
      }
    }
  }

  /** Rejects with `internal_error`, whose message holds nothing of the cause but its class. */
  #ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.#pending >= this.#limits.lookUps) {
      return Promise.reject(new DtlsError('internal_error', 'too many credential look-ups are under way'));
    }
    this.#pending++;
    return new Promise((resolve, reject) => {
      const timeout = this.#clock.after(this.#limits.lookUpTimeoutMs, () =>
        reject(new DtlsError('internal_error', 'the credential look-up took too long')),
      );
      const ask = async (): Promise<void> => {
        try {
          resolve(await question());
        } catch (cause) {
          reject(new DtlsError('internal_error', 'the credential look-up failed', { cause }));
        } finally {
          // An answer that never comes goes on counting: what it holds is not free either.
          this.#pending--;
          timeout.cancel();
        }
      };
      void ask();
    });
  }
}

/** Tells whether a key is still the same without keeping it. */
export function keyDigest(key: Uint8Array): Buffer {
  return hash('sha256', key, 'buffer');
}
