import { isUtf8 } from 'node:buffer';

import { type ClientKey, parseClientKey, verifyPossession } from './client-key.ts';
import type { Proof, SecurityIdentity } from './credential-source.ts';
import { DtlsError } from './error.ts';
import type { CertificateType } from './extensions.ts';
import { keyDigest, type LookUps } from './look-ups.ts';
import type { Random } from './random.ts';
import type { Resumable } from './resumption.ts';

/** RFC 4279 §5.3 asks for identities of up to 128 bytes; a longer one is unknown without asking. */
const MAX_IDENTITY = 128;

/** Who the device says it is, before it is proved. */
export type Claim = Pick<SecurityIdentity, 'kind' | 'name'>;

/** What the credentials on file say to the claim. It counts once the Finished is verified. */
export interface Authenticated {
  readonly identity: SecurityIdentity;
  readonly proof: Proof;
}

/** Finds out in one handshake who the device is. */
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

  /** Null while the device's credential isn't found, and for good when there is none. */
  get result(): Authenticated | null {
    return this.#result;
  }

  /** Resolves to whether what the device proved in the session to resume still holds. */
  async resume({ identity, proof }: Resumable): Promise<boolean> {
    if (!(await this.#lookUps.stillHolds(proof, identity.credential))) return false;
    this.#claim = identity;
    this.#result = { identity, proof };
    return true;
  }

  /** Resolves to the key to go on with, which for an unknown identity is a random one. */
  async pskOf(identity: Buffer): Promise<Buffer> {
    const name = nameOf(identity);
    this.#claim = { kind: 'psk', name };
    const found = identity.length <= MAX_IDENTITY ? await this.#lookUps.psk(identity) : null;
    // RFC 4279 §2: a stranger's Finished then fails like one under a wrong key, and identities can't be listed.
    // A credential without a key is none.
    if (found === null || found.key.length === 0) return this.#random(16);
    const key = Buffer.from(found.key);
    this.#result = {
      identity: { kind: 'psk', name, credential: found.credential },
      proof: { kind: 'psk', identity, keyDigest: keyDigest(key) },
    };
    return key;
  }

  /** Takes the Certificate message; throws the alert for one that can't be used. */
  takeCertificate(type: CertificateType, body: Buffer): void {
    this.#key = parseClientKey(type, body);
    this.#claim = { kind: this.#key.kind, name: this.#key.name };
  }

  /**
   * Takes the CertificateVerify message over `signed` and asks for the credential. Rejects with the alert when the device doesn't hold
   * the key, and only then asks who it is: strangers' certificates cost no look-up.
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

/** PSK identities are UTF-8 by RFC 4279 §5.1; of anything else, or unprintable, the hex is shown. */
function nameOf(identity: Buffer): string {
  if (identity.length <= MAX_IDENTITY && isUtf8(identity)) {
    const text = identity.toString('utf8');
    if (!/\p{C}/u.test(text)) return text;
  }
  return identity.subarray(0, MAX_IDENTITY).toString('hex');
}
