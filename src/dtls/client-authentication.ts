import { isUtf8 } from 'node:buffer';

import { type ClientKey, parseClientKey, verifyPossession } from './client-key.ts';
import type { Proof, SecurityIdentity } from './credential-source.ts';
import { DtlsError } from './error.ts';
import type { CertificateType } from './extensions.ts';
import { keyDigest, type LookUps } from './look-ups.ts';
import type { Random } from './random.ts';
import type { Resumable } from './resumption.ts';

/**
 * RFC 4279 §5.3 requires support for identities of up to 128 bytes. The server treats longer ones as unknown, without a
 * look-up.
 */
const MAX_IDENTITY = 128;

/** The identity that the device claims, before it is verified. */
export type Claim = Pick<SecurityIdentity, 'kind' | 'name'>;

/** The stored credential that matches the claim. It is valid only after the Finished is verified. */
export interface Authenticated {
  readonly identity: SecurityIdentity;
  readonly proof: Proof;
}

/** Authenticates the device in one handshake. */
export class ClientAuthentication {
  readonly #lookUps: LookUps;
  readonly #random: Random;
  #claim: Claim | null = null;
  #key: ClientKey | null = null;
  #result: Authenticated | null = null;

  constructor(lookUps: LookUps, random: Random) {
    this.#lookUps = lookUps;
    this.#random = random;
  }

  get claim(): Claim | null {
    return this.#claim;
  }

  /** Null until the device's credential is found. */
  get result(): Authenticated | null {
    return this.#result;
  }

  /** Resolves to whether the credential of the resumed session is still valid. */
  async resume({ identity, proof }: Resumable): Promise<boolean> {
    if (!(await this.#lookUps.stillHolds(proof, identity.credential))) return false;
    this.#claim = identity;
    this.#result = { identity, proof };
    return true;
  }

  /** Resolves to the key for the handshake: a random key when the identity is unknown. */
  async pskOf(identity: Buffer): Promise<Buffer> {
    const name = nameOf(identity);
    this.#claim = { kind: 'psk', name };
    const found = identity.length <= MAX_IDENTITY ? await this.#lookUps.psk(identity) : null;
    // RFC 4279 §2: with a random key, an unknown identity fails like a wrong key, so a client can't find out which
    // identities exist. An empty key counts as no credential.
    if (found === null || found.key.length === 0) return this.#random(16);
    const key = Buffer.from(found.key);
    this.#result = {
      identity: { kind: 'psk', name, credential: found.credential },
      proof: { kind: 'psk', identity, keyDigest: keyDigest(key) },
    };
    return key;
  }

  /** Processes the Certificate message. Throws DtlsError with the alert when the certificate or key is not usable. */
  takeCertificate(type: CertificateType, body: Buffer): void {
    this.#key = parseClientKey(type, body);
    this.#claim = { kind: this.#key.kind, name: this.#key.name };
  }

  /**
   * Verifies the CertificateVerify message over `signed`, then looks up the credential. The signature comes first, so
   * that a client without the private key causes no look-up. Rejects with the alert when either fails.
   */
  async takeCertificateVerify(body: Buffer, signed: Buffer): Promise<void> {
    const key = this.#key;
    if (key === null)
      throw new DtlsError('unexpected_message', 'the device sent CertificateVerify without Certificate');
    verifyPossession(key, body, signed);
    if (key.kind === 'rpk') {
      const found = await this.#lookUps.rawPublicKey(key.spki);
      if (found === null) throw new DtlsError('certificate_unknown', `raw public key ${key.name} is not known`);
      this.#authenticate(key, found.credential, { kind: 'rpk', spki: key.spki });
    } else {
      const verdict = await this.#lookUps.certificate(key.chain);
      if ('refused' in verdict) throw new DtlsError(verdict.refused, verdict.reason);
      this.#authenticate(key, verdict.credential, { kind: 'x509', chain: key.chain });
    }
  }

  #authenticate({ kind, name }: ClientKey, credential: string, proof: Proof): void {
    this.#result = { identity: { kind, name, credential }, proof };
  }
}

/** RFC 4279 §5.1: PSK identities are UTF-8. Returns the text, or hex when it is not UTF-8 or not printable. */
function nameOf(identity: Buffer): string {
  if (identity.length <= MAX_IDENTITY && isUtf8(identity)) {
    const text = identity.toString('utf8');
    if (!/\p{C}/u.test(text)) return text;
  }
  return identity.subarray(0, MAX_IDENTITY).toString('hex');
}
