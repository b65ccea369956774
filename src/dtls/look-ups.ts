import { hash, timingSafeEqual } from 'node:crypto';

import type { Clock } from '../clock.ts';
import type { CertificateVerdict, CredentialSource, Proof, PskCredential } from './credential-source.ts';
import { DtlsError } from './error.ts';
import type { DtlsLimits } from './settings.ts';

/**
 * `device`: a handshake needs the look-up, so the limit applies. `server`: the server itself needs it; the caller must
 * limit these.
 */
export type Asker = 'device' | 'server';

/** Looks up credentials, with a limit on concurrent look-ups for devices and a timeout. */
export class LookUps {
  readonly #credentials: CredentialSource;
  readonly #clock: Clock;
  readonly #limits: DtlsLimits;
  #pending = 0;

  constructor(credentials: CredentialSource, clock: Clock, limits: DtlsLimits) {
    this.#credentials = credentials;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The number of look-ups for devices in progress. */
  get pending(): number {
    return this.#pending;
  }

  psk(identity: Buffer, asker: Asker = 'device'): Promise<PskCredential | null> {
    return this.#ask(asker, () => this.#credentials.psk(identity));
  }

  rawPublicKey(spki: Buffer, asker: Asker = 'device'): Promise<{ readonly credential: string } | null> {
    return this.#ask(asker, () => this.#credentials.rawPublicKey(spki));
  }

  certificate(chain: readonly Buffer[], asker: Asker = 'device'): Promise<CertificateVerdict> {
    return this.#ask(asker, () => this.#credentials.certificate(chain));
  }

  /** Whether a look-up of the proof still returns the same credential and, for PSK, the same key. */
  async stillHolds(proof: Proof, credential: string, asker: Asker = 'device'): Promise<boolean> {
    switch (proof.kind) {
      case 'psk': {
        const found = await this.psk(proof.identity, asker);
        return found?.credential === credential && timingSafeEqual(keyDigest(found.key), proof.keyDigest);
      }
      case 'rpk':
        return (await this.rawPublicKey(proof.spki, asker))?.credential === credential;
      case 'x509': {
        const verdict = await this.certificate(proof.chain, asker);
        return 'credential' in verdict && verdict.credential === credential;
      }
    }
  }

  /** Rejects with `internal_error`. The message contains no text of the cause. */
  #ask<T>(asker: Asker, question: () => Promise<T>): Promise<T> {
    const counts = asker === 'device' ? 1 : 0;
    if (counts > 0 && this.#pending >= this.#limits.lookUps) {
      return Promise.reject(new DtlsError('internal_error', 'too many credential look-ups are in progress'));
    }
    this.#pending += counts;
    return new Promise((resolve, reject) => {
      const timeout = this.#clock.after(this.#limits.lookUpTimeoutMs, () =>
        reject(new DtlsError('internal_error', 'the credential look-up timed out')),
      );
      const ask = async (): Promise<void> => {
        try {
          resolve(await question());
        } catch (cause) {
          reject(new DtlsError('internal_error', 'the credential look-up failed', { cause }));
        } finally {
          // A look-up that never ends stays counted, because its resources stay in use.
          this.#pending -= counts;
          timeout.cancel();
        }
      };
      void ask();
    });
  }
}

/** Allows a comparison with a former key without storing that key. */
export function keyDigest(key: Uint8Array): Buffer {
  return hash('sha256', key, 'buffer');
}
