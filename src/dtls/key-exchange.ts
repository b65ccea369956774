import { createECDH, type ECDH, sign } from 'node:crypto';

import { DtlsError } from './error.ts';
import { encodeEcdheParameters, encodeServerKeyExchange } from './messages.ts';
import type { ServerIdentity } from './server-identity.ts';

/** The server's ephemeral ECDH key on secp256r1 (RFC 8422 §2.2). */
export class EphemeralKey {
  readonly #ecdh: ECDH = createECDH('prime256v1');
  readonly #point: Buffer = this.#ecdh.generateKeys();

  /** The ServerKeyExchange: the point and a signature of both randoms and the point (RFC 8422 §5.4). */
  serverKeyExchange(identity: ServerIdentity, clientRandom: Buffer, serverRandom: Buffer): Buffer {
    const parameters = encodeEcdheParameters(this.#point);
    const signed = Buffer.concat([clientRandom, serverRandom, parameters]);
    return encodeServerKeyExchange(parameters, sign('sha256', signed, identity.privateKey));
  }

  /** Throws `illegal_parameter` for a point that is not on the curve. */
  premasterSecret(clientPoint: Buffer): Buffer {
    try {
      return this.#ecdh.computeSecret(clientPoint);
    } catch (cause) {
      throw new DtlsError('illegal_parameter', "the device's ephemeral key is not a point on secp256r1", { cause });
    }
  }
}
